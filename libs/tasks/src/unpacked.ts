import { pipeline, type Readable, type Transform } from 'node:stream';
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
} from 'node:zlib';

/** An answer without a body, as to HEAD, may say how that would be packed: to end early is no mistake, as browsers have it. */
const zlib = { finishFlush: constants.Z_SYNC_FLUSH };
const UNPACK: Readonly<Record<string, () => Transform>> = {
  gzip: () => createGunzip(zlib),
  'x-gzip': () => createGunzip(zlib),
  deflate: () => createInflate(zlib),
  br: () => createBrotliDecompress({ finishFlush: constants.BROTLI_OPERATION_FLUSH }),
  zstd: () => createZstdDecompress({ finishFlush: constants.ZSTD_e_flush }),
};

/**
 * The body of an answer as it was before it was packed (RFC 9110, 8.4.1); undefined where that cannot be undone. It is unpacked as
 * far as it is read, so a little that becomes very much costs nothing.
 */
export function unpacked(body: Readable, encoding: string | string[] | undefined): Readable | undefined {
  const names = [encoding ?? []].flat().join(',').toLowerCase().split(',');
  const packed = names.map((name) => name.trim()).filter((name) => name !== '' && name !== 'identity');
  const [name, ...more] = packed;
  if (name === undefined) return body;
  const unpack = Object.hasOwn(UNPACK, name) && more.length === 0 ? UNPACK[name]?.() : undefined;
  // What goes wrong in either, the reader is told; whoever reads no further ends both.
  return unpack && pipeline(body, unpack, () => undefined);
}
