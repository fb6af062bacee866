export { runPeers } from './run-peers.ts';
