const CHANNELS = ["stdout", "stderr", "exit"] as const;
export type Channel = (typeof CHANNELS)[number];

export interface Frame {
  readonly channel: Channel;
  readonly payload: Uint8Array;
}

const HEAD = 5;

/** One byte for the channel, four for the length, then the bytes. */
export function encodeFrame(channel: Channel, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(HEAD);
  head.writeUInt8(CHANNELS.indexOf(channel), 0);
  head.writeUInt32BE(payload.length, 1);
  return Buffer.concat([head, payload]);
}

/** Gives back whole frames of a stream that comes in pieces. */
export function createFrameReader(): (bytes: Uint8Array) => Frame[] {
  let pending = Buffer.alloc(0);
  return (bytes) => {
    pending = Buffer.concat([pending, bytes]);
    const frames: Frame[] = [];
    while (pending.length >= HEAD) {
      const end = HEAD + pending.readUInt32BE(1);
      if (pending.length < end) break;
      const channel = CHANNELS[pending.readUInt8(0)] ?? "stderr";
      frames.push({ channel, payload: pending.subarray(HEAD, end) });
      pending = pending.subarray(end);
    }
    return frames;
  };
}
