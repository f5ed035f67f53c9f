// Just enough of PNG (8 bits per channel, RGB or RGBA, not interlaced) to see that a screenshot is not blank.
import {inflateSync} from 'node:zlib';

// Rows of pixels, each channel a byte, filters undone (RFC 2083, section 6).
export function decodePng(file) {
  const width = file.readUInt32BE(16), height = file.readUInt32BE(20);
  const [depth, kind, , , interlaced] = file.subarray(24, 29);
  if (depth !== 8 || ![2, 6].includes(kind) || interlaced !== 0) throw new Error('a kind of PNG that is not expected');
  const parts = [];
  for (let at = 8; at < file.length;) {
    const length = file.readUInt32BE(at);
    if (file.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(file.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  const channels = kind === 6 ? 4 : 3;
  const stride = width * channels;
  const raw = inflateSync(Buffer.concat(parts));
  const pixels = Buffer.alloc(height * stride);
  for (let y = 0; y < height; ++y) {
    const filter = raw[y * (stride + 1)];
    for (let x = 0; x < stride; ++x) {
      const left = x < channels ? 0 : pixels[y * stride + x - channels];
      const up = y === 0 ? 0 : pixels[(y - 1) * stride + x];
      const corner = x < channels || y === 0 ? 0 : pixels[(y - 1) * stride + x - channels];
      const nearest = () => {
        const p = left + up - corner;
        const [a, b, c] = [Math.abs(p - left), Math.abs(p - up), Math.abs(p - corner)];
        return a <= b && a <= c ? left : b <= c ? up : corner;
      };
      const predicted = [0, left, up, (left + up) >> 1, filter === 4 ? nearest() : 0][filter];
      pixels[y * stride + x] = raw[y * (stride + 1) + 1 + x] + predicted;
    }
  }
  return {width, height, channels, pixels};
}

// Number of different colours, and the share of the most frequent one.
export function coloursOf(file) {
  const {width, height, channels, pixels} = decodePng(file);
  const counts = new Map();
  let brightness = 0;
  for (let at = 0; at < pixels.length; at += channels) {
    const colour = pixels.readUIntBE(at, 3);
    counts.set(colour, (counts.get(colour) || 0) + 1);
    brightness += pixels[at] + pixels[at + 1] + pixels[at + 2];
  }
  const count = width * height;
  return {colours: counts.size, largest: Math.max(...counts.values()) / count, brightness: brightness / (3 * count)};
}
