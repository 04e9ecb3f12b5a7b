/** What a file that is not safetensors really is: the mistakes people make, by their first bytes. */
import type { MalformedReason } from './malformed';

export interface Impostor {
  readonly reason: MalformedReason;
  /** For the log: what it is and what to do. */
  readonly message: string;
  /** Bytes a Git LFS pointer promises. */
  readonly promised?: number;
}

const startsWith = (head: Uint8Array, ...bytes: number[]) => bytes.every((byte, i) => head[i] === byte);

/**
 * Names the format of a file by `head`, its first bytes, or null. Only to be asked when the length prefix cannot be true:
 * a valid header may begin with any of these bytes only if its length were beyond every cap.
 */
export function sniff(head: Uint8Array): Impostor | null {
  if (startsWith(head, 0x50, 0x4b, 0x03, 0x04) || startsWith(head, 0x50, 0x4b, 0x05, 0x06)) {
    return { reason: 'is-zip', message: 'this is a ZIP archive (a PyTorch .bin or .pt file is one); convert it to safetensors' };
  }
  if (startsWith(head, 0x47, 0x47, 0x55, 0x46)) {
    return { reason: 'is-gguf', message: 'this is a GGUF file; use the original safetensors checkpoint' };
  }
  if (startsWith(head, 0x25, 0x50, 0x44, 0x46)) return { reason: 'is-pdf', message: 'this is a PDF document' };
  // PROTO opcode and a protocol that exists.
  if (head[0] === 0x80 && head.length > 1 && head[1]! >= 2 && head[1]! <= 5) {
    return { reason: 'is-pickle', message: 'this is a Python pickle; convert it to safetensors' };
  }
  const text = new TextDecoder('latin1').decode(head.subarray(0, 1024));
  if (text.startsWith('version https://git-lfs.github.com/spec/')) {
    const size = /\nsize (\d{1,15})\n/.exec(text)?.[1];
    return {
      reason: 'is-lfs-pointer',
      message: 'this is a Git LFS pointer, not the weights; run `git lfs pull` in its folder',
      ...(size === undefined ? {} : { promised: Number(size) }),
    };
  }
  if (/^(?:\xef\xbb\xbf)?\s*(?:<!--[^]*?-->\s*)?<(?:!doctype\s+html|html|head|body)\b/i.test(text)) {
    return { reason: 'is-html', message: 'this is a web page, perhaps a login or error page; download the file again' };
  }
  return null;
}
