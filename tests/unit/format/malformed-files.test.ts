/** The 104 files of tests/fixtures/malformed: what the reference implementation does with each, and what we must do. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MalformedFileError } from '../../../src/bytes/errors';
import { MemorySource } from '../../../src/bytes/source';
import { readHeader } from '../../../src/format/safetensors/header';
import type { MalformedReason } from '../../../src/format/safetensors/malformed';

interface Fixture {
  readonly name: string;
  readonly file: string;
  readonly size: number;
  readonly reference: 'accept' | 'reject';
  /** For accepted files: `keys=['a'] meta={'k': 'v'}`. */
  readonly detail: string;
  readonly ours: 'accept' | 'reject';
}

const folder = new URL('../../fixtures/malformed/', import.meta.url);
const fixtures = JSON.parse(readFileSync(new URL('index.json', folder), 'utf8')) as Fixture[];
const bytesOf = (fixture: Fixture) => new Uint8Array(readFileSync(new URL(fixture.file, folder)));
const header = (fixture: Fixture) => readHeader(new MemorySource(fixture.file, bytesOf(fixture)));

/** Why each file is refused. */
const REASONS: Readonly<Record<string, MalformedReason>> = {
  empty_file: 'is-empty',
  '7_bytes': 'too-short',
  N_0_with_data: 'header-empty',
  N_gt_file: 'header-exceeds-file',
  'N_100e6+1_short': 'header-too-large',
  N_100e6_short: 'header-too-large',
  'N_2^63': 'header-too-large',
  'N_2^53+': 'header-too-large',
  hdr_truncated_json: 'json-truncated',
  hdr_trailing_garbage: 'json-trailing',
  hdr_invalid_utf8: 'not-utf8',
  hdr_array: 'json-not-object',
  hdr_null: 'json-not-object',
  hdr_string: 'json-not-object',
  hdr_two_objs: 'json-trailing',
  hdr_comment: 'json-trailing',
  hdr_single_quotes: 'json-syntax',
  name_lone_surrogate: 'json-escape',
  name_raw_control: 'json-control-character',
  dup_same: 'duplicate-tensor',
  dup_diff_cover: 'duplicate-tensor',
  dup_diff_hole: 'duplicate-tensor',
  dup_escaped_same_name: 'duplicate-tensor',
  dup_key_in_metadata: 'duplicate-metadata',
  dup_field_dtype: 'duplicate-field',
  dup_field_shape: 'duplicate-field',
  meta_array: 'metadata-not-object',
  meta_int_value: 'metadata-not-string',
  meta_null_value: 'metadata-not-string',
  meta_nested: 'metadata-not-string',
  metadata_as_tensor: 'metadata-not-string',
  dtype_lower: 'dtype-unknown',
  dtype_null: 'dtype-not-string',
  dtype_int: 'dtype-not-string',
  dtype_object: 'dtype-not-string',
  missing_dtype: 'missing-field',
  missing_shape: 'missing-field',
  missing_offsets: 'missing-field',
  extra_field: 'unknown-field',
  tensor_null: 'entry-not-object',
  shape_null: 'shape-not-integers',
  shape_string: 'shape-not-integers',
  shape_neg: 'integer-not-plain',
  shape_neg_zero: 'integer-not-plain',
  shape_float: 'integer-not-plain',
  shape_exp: 'integer-not-plain',
  shape_leading_zero: 'integer-not-plain',
  shape_nested: 'shape-not-integers',
  shape_bool: 'shape-not-integers',
  shape_u64max_x2: 'integer-too-large',
  shape_overflow_then_zero: 'integer-too-large',
  'shape_wraps_to_2(mod 2^64)': 'size-overflow',
  'shape_2^61_f32 bits overflow': 'integer-too-large',
  'shape_2^64': 'integer-too-large',
  zero_size_out_of_place: 'offsets-overlap',
  zero_size_past_end: 'offsets-hole',
  off_swapped: 'offsets-reversed',
  off_neg: 'integer-not-plain',
  off_one: 'offsets-not-two-integers',
  off_three: 'offsets-not-two-integers',
  off_start_not_0: 'offsets-hole',
  off_hole: 'offsets-hole',
  off_overlap_full: 'offsets-overlap',
  off_overlap_part: 'offsets-overlap',
  off_u64max: 'integer-too-large',
  'off_2^53+1': 'integer-too-large',
  size_mismatch_small: 'size-mismatch',
  size_mismatch_big: 'size-mismatch',
  trailing_1_byte: 'file-has-extra-bytes',
  trailing_zip: 'file-has-extra-bytes',
  missing_1_byte: 'file-truncated',
  missing_all_data: 'file-truncated',
  deep_nest_100k: 'json-not-object',
  deep_nest_100k_value: 'entry-not-object',
  NaN_literal: 'json-syntax',
  number_1e400: 'integer-not-plain',
  invalid_escape: 'json-escape',
};

describe('faults.md A: the reference corpus', () => {
  it('is complete: 104 files of the listed sizes', () => {
    expect(fixtures.length).toBe(104);
    for (const fixture of fixtures) expect([fixture.name, bytesOf(fixture).length]).toEqual([fixture.name, fixture.size]);
  });

  it('rejects everything the reference rejects', () => {
    expect(fixtures.filter(({ reference, ours }) => reference === 'reject' && ours !== 'reject')).toEqual([]);
  });

  it('knows a reason for exactly the refused files', () => {
    const refused = fixtures.filter(({ ours }) => ours === 'reject').map(({ name }) => name);
    expect(Object.keys(REASONS).sort()).toEqual(refused.sort());
  });

  for (const fixture of fixtures) {
    if (fixture.ours === 'reject') {
      it(`refuses ${fixture.name}: ${REASONS[fixture.name]}`, async () => {
        const error = await header(fixture).catch((caught: unknown) => caught);
        expect(error).toBeInstanceOf(MalformedFileError);
        expect((error as MalformedFileError).reason).toBe(REASONS[fixture.name]);
        expect((error as MalformedFileError).where.file).toBe(fixture.file);
      });
    } else {
      it(`accepts ${fixture.name} with the reference's names and metadata`, async () => {
        const { tensors, metadata } = await header(fixture);
        const quote = (text: string) => `'${text}'`;
        const names = tensors.map(({ name }) => name).sort().map(quote).join(', ');
        const pairs = Object.entries(metadata).map(([key, value]) => `${quote(key)}: ${quote(value)}`);
        const meta = pairs.length === 0 ? 'None' : `{${pairs.join(', ')}}`;
        expect(`keys=[${names}] meta=${meta}`).toBe(fixture.detail);
      });
    }
  }
});
