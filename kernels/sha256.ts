/**
 * The compression of SHA-256 (FIPS 180-4, section 6.2.2) over whole blocks; twin of src/bytes/sha256-rounds.ts. The schedules of four
 * blocks are made together, one in each lane: only the rounds wait for the block before. A module of its own: a thread that hashes
 * takes none of the merging loops with it.
 */

/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
const ROUND: usize = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74,
  0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d,
  0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e,
  0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5,
  0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);
/** Words of the schedule, four blocks side by side: as they are, and with the round's constant added. */
const WORDS: usize = memory.data(1024, 16);
const ADDENDS: usize = memory.data(1024, 16);

/** Takes `n` blocks of 64 bytes at `from` into the eight words at `state`. Reads up to three blocks beyond them. */
export function compress(state: usize, from: usize, n: usize): void {
  for (; n > 0; from += 256) {
    const count: usize = n < 4 ? n : 4;
    schedule(from);
    for (let lane: usize = 0; lane < count; lane++) rounds(state, ADDENDS + 4 * lane);
    n -= count;
  }
}

function schedule(from: usize): void {
  for (let t: usize = 0; t < 16; t += 4) {
    const a = bigEndian(v128.load(from + 4 * t));
    const b = bigEndian(v128.load(from + 4 * t, 64));
    const c = bigEndian(v128.load(from + 4 * t, 128));
    const d = bigEndian(v128.load(from + 4 * t, 192));
    const ab = i32x4.shuffle(a, b, 0, 4, 1, 5);
    const cd = i32x4.shuffle(c, d, 0, 4, 1, 5);
    const abHigh = i32x4.shuffle(a, b, 2, 6, 3, 7);
    const cdHigh = i32x4.shuffle(c, d, 2, 6, 3, 7);
    put(t, i64x2.shuffle(ab, cd, 0, 2));
    put(t + 1, i64x2.shuffle(ab, cd, 1, 3));
    put(t + 2, i64x2.shuffle(abHigh, cdHigh, 0, 2));
    put(t + 3, i64x2.shuffle(abHigh, cdHigh, 1, 3));
  }
  // The last two stay out of memory, from which they would come back too late.
  let even = v128.load(WORDS + 224);
  let odd = v128.load(WORDS + 240);
  for (let t: usize = 16; t < 64; t += 2) {
    even = next(t, even);
    put(t, even);
    odd = next(t + 1, odd);
    put(t + 1, odd);
  }
}

/** Word `t` of the four schedules; `y` is word t - 2. */
function next(t: usize, y: v128): v128 {
  const at = WORDS + 16 * t;
  const x = v128.load(at - 240);
  const s0 = v128.xor(v128.xor(rotated(x, 7), rotated(x, 18)), i32x4.shr_u(x, 3));
  const s1 = v128.xor(v128.xor(rotated(y, 17), rotated(y, 19)), i32x4.shr_u(y, 10));
  return i32x4.add(i32x4.add(i32x4.add(v128.load(at - 256), s0), v128.load(at - 112)), s1);
}

function put(t: usize, words: v128): void {
  v128.store(WORDS + 16 * t, words);
  v128.store(ADDENDS + 16 * t, i32x4.add(words, v128.load32_splat(ROUND + 4 * t)));
}

function bigEndian(words: v128): v128 {
  return i8x16.shuffle(words, words, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
}

function rotated(words: v128, by: i32): v128 {
  return v128.or(i32x4.shr_u(words, by), i32x4.shl(words, 32 - by));
}

/** `at`: of the block's first addend; the next is 16 bytes on. */
function rounds(state: usize, at: usize): void {
  let a = load<u32>(state);
  let b = load<u32>(state, 4);
  let c = load<u32>(state, 8);
  let d = load<u32>(state, 12);
  let e = load<u32>(state, 16);
  let f = load<u32>(state, 20);
  let g = load<u32>(state, 24);
  let h = load<u32>(state, 28);
  // The majority of a, b and c is b ^ ((a ^ b) & (b ^ c)), and a ^ b is the next round's b ^ c.
  let x = b ^ c;
  let y: u32;
  // After eight rounds every variable is back in its place. What waits longest, the function of the round before's e, is added last:
  // a sixth faster.
  for (const end = at + 1024; at < end; at += 128) {
    h = h + load<u32>(at) + choice(e, f, g) + sum1(e);
    d += h;
    y = a ^ b;
    h = h + (b ^ (y & x)) + sum0(a);
    g = g + load<u32>(at, 16) + choice(d, e, f) + sum1(d);
    c += g;
    x = h ^ a;
    g = g + (a ^ (x & y)) + sum0(h);
    f = f + load<u32>(at, 32) + choice(c, d, e) + sum1(c);
    b += f;
    y = g ^ h;
    f = f + (h ^ (y & x)) + sum0(g);
    e = e + load<u32>(at, 48) + choice(b, c, d) + sum1(b);
    a += e;
    x = f ^ g;
    e = e + (g ^ (x & y)) + sum0(f);
    d = d + load<u32>(at, 64) + choice(a, b, c) + sum1(a);
    h += d;
    y = e ^ f;
    d = d + (f ^ (y & x)) + sum0(e);
    c = c + load<u32>(at, 80) + choice(h, a, b) + sum1(h);
    g += c;
    x = d ^ e;
    c = c + (e ^ (x & y)) + sum0(d);
    b = b + load<u32>(at, 96) + choice(g, h, a) + sum1(g);
    f += b;
    y = c ^ d;
    b = b + (d ^ (y & x)) + sum0(c);
    a = a + load<u32>(at, 112) + choice(f, g, h) + sum1(f);
    e += a;
    x = b ^ c;
    a = a + (c ^ (x & y)) + sum0(b);
  }
  store<u32>(state, load<u32>(state) + a);
  store<u32>(state, load<u32>(state, 4) + b, 4);
  store<u32>(state, load<u32>(state, 8) + c, 8);
  store<u32>(state, load<u32>(state, 12) + d, 12);
  store<u32>(state, load<u32>(state, 16) + e, 16);
  store<u32>(state, load<u32>(state, 20) + f, 20);
  store<u32>(state, load<u32>(state, 24) + g, 24);
  store<u32>(state, load<u32>(state, 28) + h, 28);
}

function choice(e: u32, f: u32, g: u32): u32 {
  return g ^ (e & (f ^ g));
}

function sum0(x: u32): u32 {
  return rotr(x, 2) ^ rotr(x, 13) ^ rotr(x, 22);
}

function sum1(x: u32): u32 {
  return rotr(x, 6) ^ rotr(x, 11) ^ rotr(x, 25);
}
