import { type Bus, type BusConnection, inside } from '../connection/bus.ts';

const encoder = new TextEncoder();
const NAK = encoder.encode('-NAK');
const WORKING = encoder.encode('+WPI');

/** Settles a delivery. Fire and forget: one that gets lost with the connection means a redelivery. */
export function sendAck(bus: BusConnection, ackSubject: string): void {
  attempt(bus, () => bus.acks.send(ackSubject));
}

/** Gives a delivery back, to be handed out again after `delayMs`, or at once. */
export function sendNak(bus: BusConnection, ackSubject: string, delayMs = 0): void {
  const ns = Math.round(delayMs * 1e6);
  send(bus, ackSubject, ns > 0 ? encoder.encode(`-NAK {"delay": ${ns}}`) : NAK);
}

/** Starts the acknowledgement wait of a delivery anew. */
export function sendWorking(bus: BusConnection, ackSubject: string): void {
  send(bus, ackSubject, WORKING);
}

/**
 * Extends a delivery from elsewhere than where it was received: the thread that keeps jobs alive has a connection of its
 * own and knows only the acknowledgement subject. Fire and forget, never throws.
 */
export function extendDelivery(bus: Bus, ackSubject: string): void {
  sendWorking(inside(bus), ackSubject);
}

function send(bus: BusConnection, subject: string, data: Uint8Array): void {
  attempt(bus, () => bus.nc.publish(subject, data));
}

/** A closed connection is no reason to fail: the delivery comes again elsewhere. */
function attempt(bus: BusConnection, act: () => void): void {
  if (bus.nc.isClosed()) return;
  try {
    act();
  } catch (err) {
    bus.log.debug({ err }, 'an acknowledgement could not be sent');
  }
}
