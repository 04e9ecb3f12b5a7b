/** Sentences for what stops a merge or its preparation, by code. */
import type { ErrorCode, GpuUnavailableReason } from '../../bytes/errors';
import type { Template } from './words';

const CPU_WORKS = 'Meanwhile the CPU does the same work with the same results, slower.';
const DROP_AGAIN = 'Wait until nothing writes to it, drop its folder again and start the merge again.';
const REPORT = 'Reload the page and try again. If it happens again, report it with the line above.';
/** A merge never ends with a device: it goes on from the group it was at. */
export const DEVICE_REPLACED = 'Nothing that was merged is lost: work goes on from where it was. To have the graphics card again, choose WebGPU under Backend; if that fails too, restart the browser.';

/** `even`: what was tried. */
function noGraphicsMemory(even: string): Template {
  return ({ actualBytes, expectedBytes }) => ({
    title: 'Not enough graphics memory',
    detail: `The graphics card had no room for ${actualBytes} beside the ${expectedBytes} that the studio has there${even}.`,
    action: 'Close other tabs and programs that use the graphics card and try again, or choose the CPU in the header.',
  });
}

const deviceGone: Template = ({ actual }) => ({
  title: 'The graphics device was lost',
  detail: `Its driver was reset, or the browser ended the process that talks to it.${actual === 'unknown' ? '' : ` What the browser said: ${actual}`}`,
  action: DEVICE_REPLACED,
});

const GPU = {
  'insecure-page': () => ({
    title: 'No WebGPU: the page is not secure',
    detail: 'Browsers offer WebGPU on https pages and on localhost only.',
    action: 'Open the studio over https or from localhost. Until then it explores only, on the CPU: it cannot write a merge.',
  }),
  'no-webgpu': () => ({
    title: 'No WebGPU: this browser does not have it',
    detail: 'The browser offers no navigator.gpu to the page.',
    action: `Use a current Chrome, Edge, Safari or Firefox; on Linux it may have to be enabled in the browser's flags. ${CPU_WORKS}`,
  }),
  'no-adapter': () => ({
    title: 'No WebGPU: no graphics adapter was offered',
    detail: 'The browser has WebGPU but found no adapter it may use: the driver is blocked or missing, or acceleration is off.',
    action: `Turn on hardware acceleration in the browser's settings, update the driver, and restart the browser. ${CPU_WORKS}`,
  }),
  'software-adapter': ({ actual }) => ({
    title: 'WebGPU is not used: there is no real graphics card behind it',
    detail: `The only adapter is ${actual}, which computes on the CPU and is slower than the studio's own CPU backend.`,
    action: "Turn on hardware acceleration if this machine has a graphics card. The software adapter can be chosen under Backend all the same.",
  }),
  'no-device': () => ({
    title: 'No WebGPU: the adapter gave no device',
    detail: 'An adapter was found, but starting it failed. A graphics process that crashed often is the cause.',
    action: `Restart the browser. ${CPU_WORKS}`,
  }),
  'limits-too-small': ({ expected, actual }) => ({
    title: 'No WebGPU: the adapter is too small',
    detail: `The studio needs ${expected}, the adapter has ${actual}.`,
    action: `Choose another graphics card for the browser if there is one. ${CPU_WORKS}`,
  }),
  'self-test-failed': ({ names, actual }) => ({
    title: 'WebGPU is not used: the adapter miscalculates',
    detail: `The results of ${actual === 'unknown' ? 'the adapter' : actual} differed from the reference in the self-test${names === '' ? '' : `: ${names}`}.`,
    action: `Update the graphics driver and the browser; if it stays, report it with the text that the backend in the header copies. ${CPU_WORKS}`,
  }),
} satisfies Record<GpuUnavailableReason, Template>;

const SOURCE = {
  'size-changed': ({ file, expectedBytes, actualBytes }) => ({
    title: `${file} changed`,
    detail: `It had ${expectedBytes} when it was given, now ${actualBytes}.`,
    action: DROP_AGAIN,
  }),
  changed: ({ file, expected, actual, expectedBytes, actualBytes }) => ({
    title: `${file} changed`,
    detail: expected === 'unknown' || actual === 'unknown' ? 'Something wrote to it after it was given.' : `Expected ${expectedBytes}, found ${actualBytes}.`,
    action: DROP_AGAIN,
  }),
  vanished: ({ file }) => ({
    title: `${file} is no longer there`,
    detail: 'It was deleted or moved, or its drive was unplugged.',
    action: 'Bring it back, drop its folder again and start the merge again.',
  }),
  permission: ({ file }) => ({
    title: `${file} may not be read any more`,
    detail: 'The browser withdrew the permission to read it.',
    action: 'Drop its folder again.',
  }),
  unreadable: ({ file }) => ({
    title: `${file} could not be read`,
    detail: 'The disk did not give its bytes.',
    action: 'Check the drive, then drop the folder again.',
  }),
  stalled: ({ file, actual }) => ({
    title: `${file} cannot be read`,
    detail: `Its drive gave nothing for ${actual} seconds.`,
    action: 'Check the drive or the connection to it, then start the merge again.',
  }),
  'changed-during': ({ file, offset }) => ({
    title: `${file} changed during the merge`,
    detail: `At ${offset} it holds other bytes than it did when they were read, so that the merge would be of neither.`,
    action: DROP_AGAIN,
  }),
  closed: ({ file }) => ({ title: `${file} is not open any more`, detail: 'It was removed from the studio meanwhile.', action: 'Drop its folder again.' }),
  'not-served': ({ file }) => ({
    title: 'The sample family could not be loaded',
    detail: `${file} did not come from where the studio is served.`,
    action: 'Check the connection to the server of the page, then try again.',
  }),
  'other-origin': ({ file, expected, actual }) => ({
    title: `${file} would come from another server`,
    detail: `The studio reads samples from ${expected} only, not from ${actual}.`,
    action: 'Open your own checkpoints instead.',
  }),
} satisfies Record<string, Template>;

/** What tells the merge of a journal from another: see `Difference` of merge/resuming. */
const DIFFERENCES: Readonly<Record<string, string>> = {
  application: 'the version of the studio',
  recipe: 'the recipe',
  choices: 'what was decided where checkpoints differ',
  'shard-size': 'the shard size',
  sources: 'the checkpoints or their contents',
  layout: 'what would be written',
};

const DESTINATION = {
  'not-empty': ({ file, names }) => ({
    title: 'The folder holds an older export',
    detail: `${file === 'The file' ? 'There' : file}: ${names}. Old and new files must not be mixed.`,
    action: 'Choose another folder, or tick "Replace an older export" and merge again: these files are then replaced or removed, and no others.',
  }),
  unfinished: ({ file }) => ({
    title: `${file === 'The file' ? 'The folder' : file} holds an unfinished export`,
    detail: 'A merge into it was interrupted. Nothing there loads, and what it finished can be kept.',
    action: 'Resume it, remove it, or choose another folder.',
  }),
  'nothing-to-resume': ({ file }) => ({ title: `${file} holds no unfinished export`, detail: 'Another tab finished or removed it.', action: 'Merge anew.' }),
  'journal-of-another': ({ file, names }) => ({
    title: `What lies in ${file} is of another merge`,
    detail: `Not the same: ${names.split(', ').map((name) => DIFFERENCES[name] ?? name).join(', ')}. Shards of two merges must not be mixed; nothing was touched.`,
    action: 'Remove what lies there or tick "Replace an older export", or choose another folder.',
  }),
  'journal-broken': ({ file, actual }) => ({
    title: 'An unfinished export cannot be carried on',
    detail: `${file} is not what was written: ${actual}.`,
    action: 'Remove what lies there, or choose another folder.',
  }),
  'journal-version': ({ file, expected, actual }) => ({
    title: 'An unfinished export is of another version of the studio',
    detail: `${file} has version ${actual}, this studio reads ${expected}.`,
    action: 'Carry it on with the version that began it, or remove what lies there.',
  }),
  'table-of-another': ({ file }) => ({
    title: `${file} is not of this export`,
    detail: 'Its columns or rows are of other merges, so that scores in it may be of use. Nothing was written.',
    action: 'Rename or remove it, or choose another folder.',
  }),
  'folders-exist': ({ names }) => ({
    title: 'The folder holds folders of these names',
    detail: `There: ${names}. An export of several never replaces anything.`,
    action: 'If an export of these was interrupted, carry it on: complete folders stay as they are. Otherwise choose another folder, or rename or remove these.',
  }),
  'is-source': ({ file }) => ({
    title: 'The destination is a source of this merge',
    detail: `${file} is being merged and must not be overwritten.`,
    action: 'Choose another folder.',
  }),
  permission: ({ file }) => ({
    title: 'The folder may not be written',
    detail: `The browser does not allow it${file === 'The file' ? '' : ` for ${file}`}, or no longer does.`,
    action: 'Choose the folder again and allow it, or use private storage and download.',
  }),
  removed: ({ file }) => ({ title: `${file} was removed`, detail: 'The folder or a file in it disappeared while it was written.', action: 'If the folder is still there, resume the merge; otherwise choose a folder and merge again.' }),
  'export-gone': ({ file }) => ({ title: `${file} is not there any more`, detail: 'A later export into private storage took its place, perhaps that of another tab, or it was removed.', action: 'Merge again to have it.' }),
  locked: ({ file }) => ({ title: `${file} is in use`, detail: 'Another tab or program is writing there, or what an earlier merge asked of its drive has not been answered yet.', action: 'Finish or close the other one, or reload this page; or choose another folder.' }),
  'bad-name': ({ file }) => ({ title: `${file} cannot be written`, detail: 'A folder has this name, or the name is not allowed there.', action: 'Choose another folder.' }),
  unusable: ({ file }) => ({ title: `${file} cannot be written`, detail: 'The browser gave up writing to it.', action: 'Choose another folder, or use private storage and download.' }),
  unsupported: () => ({ title: 'This browser cannot write to folders', detail: 'Chrome and Edge can.', action: 'Use private storage and download the files at the end.' }),
  'insecure-page': () => ({
    title: 'This page can explore, but not merge',
    detail: 'It is not secure, and browsers let only https pages and localhost write files.',
    action: 'To merge, open the studio over https or from localhost.',
  }),
  'no-storage': () => ({
    title: 'This browser can explore, but not merge',
    detail: 'It lets a page write neither to a folder nor to a storage of its own.',
    action: 'To merge, open the studio in a current Chrome, Edge, Safari or Firefox.',
  }),
  stalled: ({ file, actual }) => ({
    title: `${file}: the drive does not answer`,
    detail: `It was asked to write, or to give what was written, and nothing came back for ${actual} seconds. The sources are untouched; finished shards stay where they are.`,
    action: 'Check the drive or the connection to it, reload the page and resume the merge; or choose another folder.',
  }),
  'verification-failed': ({ file, at, expected, actual }) => ({
    title: `${file} is not what was computed`,
    detail: `${at}Re-reading it gave something else${expected === 'unknown' ? '' : `: expected ${expected}, found ${actual}`}. The disk or the connection to it may be failing.`,
    action: 'Do not use these files. Write to another drive.',
  }),
} satisfies Record<string, Template>;

export const RUN_MESSAGES = {
  'gpu-unavailable': GPU,
  'source-changed': SOURCE,
  destination: DESTINATION,
  'incompatible-checkpoints': {
    nonfinite: ({ names, model, actual }) => ({
      title: 'The checkpoints hold NaN or infinite values',
      detail: `${actual} values in ${names}, first in ${model}; later tensors were not looked at.`,
      action: 'Get a sound copy; or allow non-finite values under Advanced in the recipe and merge all the same.',
    }),
    'tensor-too-large': ({ tensor, expected, actual }) => ({
      title: `${tensor} is too large`,
      detail: `It has ${actual} values; a tensor that is merged may have ${expected}.`,
      action: 'Add a rule that keeps it from the base.',
    }),
    'adapter-targets-absent': ({ names, model }) => ({
      title: `${model} adapts tensors that the base lacks`,
      detail: `They are ${names}.`,
      action: 'Give the role Base to the checkpoint this adapter was trained on (adapter_config.json names it).',
    }),
    'adapter-does-not-fit': ({ tensor, model, expected, actual }) => ({
      title: `${model} does not fit the base`,
      detail: `${tensor}: ${expected} is wanted, the adapter has ${actual}.`,
      action: 'Give the role Base to the checkpoint this adapter was trained on (adapter_config.json names it).',
    }),
  },
  'out-of-memory': {
    'host-memory': ({ file, expected, actual, expectedBytes, actualBytes }) => ({
      title: 'Not enough memory',
      detail: `The browser had no room for ${expected === 'unknown' ? 'another array' : expectedBytes}${file === 'The file' ? ' while it merged' : ` of ${file}`}${actual === 'unknown' ? '' : `, nor after reading ahead was halved to ${actualBytes}`}.`,
      action: 'Close other tabs and programs, or allow the studio less memory under Backend, and try again.',
    }),
    'device-memory': noGraphicsMemory(''),
    'device-left': (data) => ({
      ...noGraphicsMemory(', not even for a small sample')(data),
      action: 'The CPU computes now. Close other tabs and programs that use the graphics card, then choose WebGPU in the header.',
    }),
    'device-floor': noGraphicsMemory(', although tensors were taken in pieces of a sixteenth of the usual size'),
  },
  'device-lost': {
    refused: ({ actual }) => ({ title: 'The graphics device refused work', detail: `It is not relied on any more. What it said: ${actual}`, action: DEVICE_REPLACED }),
    unresponsive: ({ actual }) => ({ title: 'The graphics device does not answer', detail: `It gave no result for ${actual} seconds.`, action: DEVICE_REPLACED }),
    unknown: deviceGone,
    destroyed: deviceGone,
  },
  'disk-full': {
    'disk-full': ({ file }) => ({
      title: 'The disk is full',
      detail: `There was no room left while writing ${file === 'The file' ? 'the export' : file}. An older file of that name is as it was.`,
      action: 'Free some room or choose another destination, then start the merge again.',
    }),
  },
  cancelled: {
    cancelled: () => ({
      title: 'Cancelled',
      detail: 'The merge was stopped. The sources are untouched, and the shard being written was thrown away.',
      action: 'Change what you like and merge again.',
    }),
  },
  internal: {
    'worker-died': ({ actual }) => ({
      title: 'The part of the page that reads and merges has stopped',
      detail: `Reason: ${actual}. Your files are untouched.`,
      action: 'Press Restart: what is open is opened again from where it lies, and the recipe stays as it is.',
    }),
    busy: () => ({ title: 'A merge is running', detail: 'This has to wait until it is done.', action: 'Wait for it, or cancel it.' }),
    'shader-compile': ({ names }) => ({
      title: 'A shader did not compile on this adapter',
      detail: `Shader: ${names}.`,
      action: 'Choose the CPU in the header, and report the adapter with this name.',
    }),
    'computed-differs': ({ at, expected, actual }) => ({
      title: 'A value was not computed as it should be',
      detail: `${at}The merge gave ${actual} where the CPU reference gives ${expected}, from the same bytes. Nothing of this merge was kept.`,
      action: 'Choose the other backend in the header and merge again, and report the adapter with these numbers. If both fail, test the memory of this machine.',
    }),
    'recheck-differs': ({ at, expected, actual }) => ({
      title: 'A value that was written is not what the CPU gives',
      detail: `${at}The file has ${actual}, the CPU gives ${expected}. What this merge wrote was removed.`,
      action: 'Choose the other backend in the header and merge again, and report the adapter with these numbers. If both fail, test the memory of this machine.',
    }),
    'map-failed': () => ({ title: 'Reading back from the graphics card failed', detail: 'The browser gave no result.', action: REPORT }),
  },
} satisfies Partial<Record<ErrorCode, Readonly<Record<string, Template>>>>;
