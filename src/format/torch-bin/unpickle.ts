/**
 * A restricted unpickler: it executes nothing. A pickle is a program for a stack machine; this one knows the instructions that
 * a dictionary of tensors needs, and the few names torch rebuilds tensors with, which become descriptions instead of calls.
 * Everything else is refused by name.
 */
import { MAX_STACK } from './limits';
import { refuse } from './reasons';

/** A dictionary, in insertion order. */
export class PickledDict {
  readonly entries: (readonly [unknown, unknown])[] = [];
}
/** A name that the pickle may use; never code. */
export class PickledName {
  constructor(readonly name: string) {}
}
/** `torch.FloatStorage` of so many values under a key of the archive. */
export class PickledStorage {
  constructor(
    /** Storage class without `torch.`. */
    readonly type: string,
    readonly key: string,
    /** Values. */
    readonly length: number,
  ) {}
}
/** What `_rebuild_tensor_v2` was asked for: offset and strides in values. */
export class PickledTensor {
  constructor(
    readonly storage: PickledStorage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}
/** Where a MARK was put. */
const MARK = Symbol('mark');

const ORDERED_DICT = 'collections.OrderedDict';
const REBUILD_TENSOR = 'torch._utils._rebuild_tensor_v2';
const REBUILD_PARAMETER = 'torch._utils._rebuild_parameter';
const STORAGE = /^torch\.(\w+Storage)$/;
const isAllowed = (name: string) => name === ORDERED_DICT || name === REBUILD_TENSOR || name === REBUILD_PARAMETER || STORAGE.test(name);

/**
 * Runs the pickle `bytes` and returns its root. Throws MalformedFileError (`pickle-*`) with the position of what it refuses.
 * Memory is bounded by the pickle's size: no instruction makes more than it spells out.
 */
export function unpickle(bytes: Uint8Array<ArrayBuffer>, file: string): unknown {
  return new Machine(bytes, file).run();
}

class Machine {
  private readonly view: DataView;
  private readonly stack: unknown[] = [];
  private readonly memo = new Map<number, unknown>();
  private readonly text = new TextDecoder('utf-8', { fatal: false });
  private at = 0;

  constructor(
    private readonly bytes: Uint8Array<ArrayBuffer>,
    private readonly file: string,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  run(): unknown {
    for (;;) {
      const place = this.at;
      const opcode = this.unsigned(1);
      if (opcode === 0x2e) return this.pop(); // STOP
      this.step(opcode, place);
      if (this.stack.length > MAX_STACK) this.malformed(`more than ${MAX_STACK} values on the stack`);
    }
  }

  private step(opcode: number, place: number): void {
    switch (opcode) {
      case 0x80: return void this.take(1); // PROTO
      case 0x95: return void this.take(8); // FRAME: lengths repeat what the instructions say
      case 0x28: return this.push(MARK); // MARK
      case 0x30: return void this.pop(); // POP
      case 0x4e: return this.push(null); // NONE
      case 0x88: return this.push(true); // NEWTRUE
      case 0x89: return this.push(false); // NEWFALSE
      case 0x4a: return this.push(this.view.getInt32(this.take(4), true)); // BININT
      case 0x4b: return this.push(this.unsigned(1)); // BININT1
      case 0x4d: return this.push(this.unsigned(2)); // BININT2
      case 0x8a: return this.push(this.long(this.unsigned(1))); // LONG1
      case 0x47: return this.push(this.view.getFloat64(this.take(8), false)); // BINFLOAT
      case 0x58: return this.push(this.string(this.unsigned(4))); // BINUNICODE
      case 0x8c: return this.push(this.string(this.unsigned(1))); // SHORT_BINUNICODE
      case 0x7d: return this.push(new PickledDict()); // EMPTY_DICT
      case 0x5d: return this.push([]); // EMPTY_LIST
      case 0x29: return this.push([]); // EMPTY_TUPLE
      case 0x74: return this.push(this.popToMark()); // TUPLE
      case 0x85: return this.push(this.popMany(1)); // TUPLE1
      case 0x86: return this.push(this.popMany(2)); // TUPLE2
      case 0x87: return this.push(this.popMany(3)); // TUPLE3
      case 0x61: return this.append([this.pop()]); // APPEND
      case 0x65: return this.append(this.popToMark()); // APPENDS
      case 0x73: return this.setItems(this.popMany(2)); // SETITEM
      case 0x75: return this.setItems(this.popToMark()); // SETITEMS
      case 0x71: return this.remember(this.unsigned(1)); // BINPUT
      case 0x72: return this.remember(this.unsigned(4)); // LONG_BINPUT
      case 0x94: return this.remember(this.memo.size); // MEMOIZE
      case 0x68: return this.recall(this.unsigned(1)); // BINGET
      case 0x6a: return this.recall(this.unsigned(4)); // LONG_BINGET
      case 0x63: return this.push(this.name(this.line(), this.line())); // GLOBAL
      case 0x93: return this.stackGlobal(); // STACK_GLOBAL
      case 0x51: return this.push(this.storage(this.pop())); // BINPERSID
      case 0x52: return this.reduce(); // REDUCE
      case 0x62: return void this.pop(); // BUILD: state dictionaries carry `_metadata` as an attribute, which no merge reads
      default:
        return refuse(this.file, 'pickle-opcode', `instruction 0x${opcode.toString(16)} at ${place} has no place in a dictionary of tensors`, {
          actual: `0x${opcode.toString(16)} at byte ${place}`,
        });
    }
  }

  /** A call: of the names allowed, each becomes what it would describe. */
  private reduce(): void {
    const args = this.pop();
    const callee = this.pop();
    if (!(callee instanceof PickledName) || !Array.isArray(args)) return this.malformed('a call of something that is no name');
    if (callee.name === ORDERED_DICT) {
      if (args.length > 0) this.malformed('an OrderedDict made from arguments');
      return this.push(new PickledDict());
    }
    if (callee.name === REBUILD_PARAMETER) {
      if (!(args[0] instanceof PickledTensor)) this.malformed('a parameter of something that is no tensor');
      return this.push(args[0]);
    }
    if (callee.name !== REBUILD_TENSOR) return this.malformed(`a call of ${callee.name}`);
    const [storage, offset, shape, strides] = args as unknown[];
    if (!(storage instanceof PickledStorage) || !isCount(offset) || !isCounts(shape) || !isCounts(strides)) {
      return refuse(this.file, 'shape-not-integers', `a tensor before byte ${this.at} has no valid storage, offset, shape and strides`, { actual: this.at });
    }
    return this.push(new PickledTensor(storage, offset, shape, strides));
  }

  /** `('storage', torch.FloatStorage, '0', 'cpu', 24)`. */
  private storage(id: unknown): PickledStorage {
    const [kind, type, key, , length] = Array.isArray(id) ? (id as unknown[]) : [];
    const storage = type instanceof PickledName ? STORAGE.exec(type.name)?.[1] : undefined;
    if (kind !== 'storage' || storage === undefined || typeof key !== 'string' || !isCount(length)) return this.malformed('a reference to something that is no storage');
    return new PickledStorage(storage, key, length);
  }

  private name(module: string, member: string): PickledName {
    const name = `${module}.${member}`;
    if (isAllowed(name)) return new PickledName(name);
    return refuse(this.file, 'pickle-global', `${JSON.stringify(name.slice(0, 120))} before byte ${this.at} is code: it is not run`, { actual: name.slice(0, 120) });
  }

  private stackGlobal(): void {
    const [module, member] = this.popMany(2);
    if (typeof module !== 'string' || typeof member !== 'string') return this.malformed('a name that is no text');
    this.push(this.name(module, member));
  }

  private append(values: readonly unknown[]): void {
    const list = this.stack.at(-1);
    if (!Array.isArray(list)) return this.malformed('something is appended to what is no list');
    for (const value of values) list.push(value);
  }

  private setItems(flat: readonly unknown[]): void {
    const dict = this.stack.at(-1);
    if (!(dict instanceof PickledDict) || flat.length % 2 !== 0) return this.malformed('items are set in what is no dictionary');
    for (let i = 0; i < flat.length; i += 2) dict.entries.push([flat[i], flat[i + 1]]);
  }

  private remember(key: number): void {
    if (this.stack.length === 0) this.malformed('nothing to remember');
    this.memo.set(key, this.stack.at(-1));
  }

  private recall(key: number): void {
    if (!this.memo.has(key)) this.malformed(`memo ${key} was never filled`);
    this.push(this.memo.get(key));
  }

  private push(value: unknown): void {
    this.stack.push(value);
  }
  private pop(): unknown {
    if (this.stack.length === 0 || this.stack.at(-1) === MARK) return this.malformed('the stack is empty');
    return this.stack.pop();
  }
  private popMany(count: number): unknown[] {
    const values = Array.from({ length: count }, () => this.pop());
    return values.reverse();
  }
  private popToMark(): unknown[] {
    let at = this.stack.length - 1;
    while (at >= 0 && this.stack[at] !== MARK) at--;
    if (at < 0) return this.malformed('no mark on the stack');
    const values = this.stack.splice(at);
    return values.slice(1);
  }

  /** Moves on by `count` bytes and returns where they begin. */
  private take(count: number): number {
    const begin = this.at;
    if (begin + count > this.bytes.length) return this.malformed('ends inside an instruction');
    this.at += count;
    return begin;
  }
  private unsigned(bytes: 1 | 2 | 4): number {
    const begin = this.take(bytes);
    return bytes === 1 ? this.view.getUint8(begin) : bytes === 2 ? this.view.getUint16(begin, true) : this.view.getUint32(begin, true);
  }
  /** Two's complement of up to 8 bytes; larger ones are no size of anything. */
  private long(bytes: number): number {
    const begin = this.take(bytes);
    if (bytes > 8) return this.malformed(`an integer of ${bytes} bytes`);
    let value = 0n;
    for (let i = 0; i < bytes; i++) value |= BigInt(this.bytes[begin + i]!) << BigInt(8 * i);
    return Number(BigInt.asIntN(8 * bytes, value));
  }
  private string(length: number): string {
    const begin = this.take(length);
    return this.text.decode(this.bytes.subarray(begin, begin + length));
  }
  private line(): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    if (end < 0) return this.malformed('ends inside a name');
    const text = this.string(end - this.at);
    this.at = end + 1;
    return text;
  }

  private malformed(message: string): never {
    return refuse(this.file, 'pickle-malformed', `${message} (byte ${this.at})`, { actual: this.at });
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isCounts = (value: unknown): value is number[] => Array.isArray(value) && value.every(isCount);
