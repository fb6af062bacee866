/**
 * The same ports, each of which writes down that it was called.
 * @param unnoted the ones of which nothing is written
 */
export function notedPorts<Ports extends object>(
  ports: Ports,
  unnoted: readonly (keyof Ports)[] = [],
): { readonly ports: Ports; readonly calls: string[] } {
  const calls: string[] = [];
  const noted = Object.entries(ports).map(([name, port]) => [
    name,
    (...params: unknown[]) => {
      if (!unnoted.includes(name as keyof Ports)) calls.push(name);
      return (port as (...params: unknown[]) => unknown)(...params);
    },
  ]);
  return { ports: Object.fromEntries(noted) as Ports, calls };
}
