/** The worker's side of the pool: parts by number and the passes over them. Knows no worker, so tests run it as it is. */
import { asStudioError } from '../bytes/errors';
import { form } from './adapt';
import { Part } from './part';
import type { FromPoolWorker, PassRequest, PassResult, ToPoolWorker } from './pool-messages';
import { createWorkspace } from './workspace';

/** Receives the messages of one pool; `post` takes the answers back. */
export function serveParts(
  post: (message: FromPoolWorker, transfer: ArrayBuffer[]) => void,
  workspace = createWorkspace(),
): (message: ToPoolWorker) => void {
  const parts = new Map<number, { readonly part: Part } | { readonly fault: unknown }>();
  const inputs = new Map<number, ArrayBuffer[]>();
  const giveBack = (part: number) => {
    const spare = inputs.get(part) ?? [];
    inputs.delete(part);
    if (spare.length > 0) post({ spare }, spare);
  };
  return (message) => {
    if ('load' in message) {
      inputs.set(message.part, message.inputs.flatMap((bytes) => bytes?.buffer ?? []));
      // What is wrong with a part is told by its first pass.
      try {
        parts.set(message.part, { part: new Part(message.load, message.inputs, workspace) });
      } catch (fault) {
        parts.set(message.part, { fault });
      }
      return;
    }
    if ('shed' in message) {
      const known = parts.get(message.part);
      if (known && 'part' in known) known.part.shed();
      giveBack(message.part);
      return;
    }
    if ('release' in message) {
      parts.delete(message.part);
      giveBack(message.part);
      return;
    }
    const { id } = message;
    try {
      if ('adapt' in message) {
        const formed = form(message.adapt);
        return post({ id, ok: true, result: { formed } }, [formed.buffer]);
      }
      const { part: number, request } = message;
      const known = parts.get(number);
      if (!known) throw new Error(`part ${number} is not here`);
      if ('fault' in known) throw known.fault;
      const result = passOver(known.part, request, message.into);
      post({ id, ok: true, result }, buffersOf(result));
    } catch (error) {
      post({ id, ok: false, error: asStudioError(error).toWire() }, []);
    }
  };
}

function passOver(part: Part, request: PassRequest, into: ArrayBuffer | undefined): PassResult {
  switch (request.pass) {
    case 'tally':
      return part.tally(request.model, request.range);
    case 'margins':
      return part.margins(request.decision, request.range);
    case 'magnitudes':
      return part.magnitudes(request.model, request.cut, request.before);
    case 'merge':
      return part.merge(request.decision, into);
  }
}

function buffersOf(result: PassResult): ArrayBuffer[] {
  if (result === null) return [];
  if ('counts' in result) return [result.counts.buffer];
  return 'bytes' in result ? [result.bytes.buffer] : [];
}
