/**
 * The other end of a control socket (server.ts, or a stock daemon's): one
 * request, one reply.
 *
 * The request ends with the end of our sending side, so the reply is complete
 * when the other side ends too. A stock daemon closes when it reads that end,
 * before it has answered; so the end is sent only when the answer is here.
 */
import net from 'node:net';
import { TapflowError } from '../lib/error.ts';
import { isObject, type Json } from '../lib/json.ts';
import { formatJson, JsonStream } from '../lib/json-text.ts';

/** What a command answered: one of the two. */
export type UnixctlReply = { result: string } | { error: string };

/**
 * @throws NodeJS.ErrnoException when nobody listens at `socketPath`;
 *   TapflowError NO_REPLY when the answer does not come, BAD_REPLY or BAD_JSON when it
 *   makes no sense
 */
export function unixctlRequest(
  socketPath: string,
  method: string,
  params: readonly string[] = [],
): Promise<UnixctlReply> {
  return new Promise((resolve, reject) => {
    const incoming = new JsonStream({ maxBytes: MAX_REPLY });
    const socket = net.connect(socketPath, () =>
      socket.write(formatJson({ method, params, id: 0 })),
    );
    socket.on('data', (piece) => {
      try {
        for (const json of incoming.feed(piece)) resolve(parseReply(json));
        if (incoming.pendingBytes === 0) socket.end();
      } catch (error) {
        reject(error);
        socket.destroy();
      }
    });
    socket.on('end', () =>
      reject(new TapflowError('NO_REPLY', 'the connection was closed without an answer')),
    );
    socket.on('error', reject);
  });
}

const MAX_REPLY = 1 << 30;

function parseReply(json: Json): UnixctlReply {
  const { result, error } = isObject(json) ? json : {};
  if (typeof error === 'string') return { error };
  if (typeof result === 'string') return { result };
  throw new TapflowError(
    'BAD_REPLY',
    `the answer is no unixctl reply: ${formatJson(json).slice(0, 80)}`,
  );
}
