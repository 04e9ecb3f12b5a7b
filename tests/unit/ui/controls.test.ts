import { describe, expect, it } from 'vitest';
import type { Setting } from '../../../src/recipe/types';
import { firstValue, parseSetting, settingText } from '../../../src/ui/recipe/setting-text';
import { withAction } from '../../../src/ui/recipe/RulesEditor';
import { pressKey, type KeyPress } from '../../../src/ui/shell/keys';
import type { Controller } from '../../../src/state/controller';

describe('settings as text (merging.md section 9)', () => {
  const settings: Setting<number>[] = [0.2, [0, 0.5, 1], [{ filter: 'mlp', value: [0.1, 0.2] }, { filter: '"quoted"', value: 1 }, { value: 0.3 }]];
  it.each(settings)('reads back what it writes: %j', (setting) => {
    expect(parseSetting(settingText(setting), 'number')).toEqual({ setting, problem: null });
  });

  it('writes filters one a line', () => {
    expect(settingText(settings[2]!).split('\n')).toHaveLength(5);
  });

  it.each([
    ['0.2, 0.3', 'Not JSON'],
    ['"0.2"', 'Write a number'],
    ['[]', 'empty'],
    ['[0.1, "x"]', 'Item 1'],
    ['[0.1, {"value": 1}]', 'Item 1'],
    ['[{"filter": "a"}]', 'The value of item 1'],
    ['[{"value": 1}, {"filter": 3, "value": 1}]', 'The filter of item 2'],
    ['[{"value": 1, "weight": 2}]', 'a field "weight"'],
    ['[{"value": []}]', 'The value of item 1'],
    ['1e999', 'Write a number'],
    ['true', 'Write a number'],
  ])('refuses %s and says where', (text, part) => {
    const { setting, problem } = parseSetting(text, 'number');
    expect(setting).toBeNull();
    expect(problem).toContain(part);
  });

  it('reads booleans, with gradients of numbers between them', () => {
    expect(parseSetting('true', 'boolean').setting).toBe(true);
    expect(parseSetting('[{"filter": "mlp", "value": false}, {"value": [0, 1]}]', 'boolean').setting).toEqual([{ filter: 'mlp', value: false }, { value: [0, 1] }]);
    expect(parseSetting('0.5', 'boolean').setting).toBeNull();
  });

  it('makes scalar of the first value', () => {
    expect(firstValue([0.1, 0.9], 1)).toBe(0.1);
    expect(firstValue([{ filter: 'a', value: [0.3, 1] }, { value: 1 }], 1)).toBe(0.3);
    expect(firstValue<boolean>([0, 1], true)).toBe(false);
  });
});

describe('rules', () => {
  it('forget the model when they no longer take from one', () => {
    const taken = withAction({ filter: 'embed', action: 'merge' }, 'take id with space');
    expect(taken).toEqual({ filter: 'embed', action: 'take', from: 'id with space' });
    expect(withAction(taken, 'keep-base')).toEqual({ filter: 'embed', action: 'keep-base' });
    expect(withAction(taken, 'merge')).toEqual({ filter: 'embed', action: 'merge' });
  });
});

describe('keys', () => {
  const press = (patch: Partial<KeyPress>) => {
    const done: string[] = [];
    const controller = new Proxy({} as Controller, { get: (_, name) => (...args: unknown[]) => done.push([String(name), ...args.map((arg) => JSON.stringify(arg))].join(' ')) });
    const handled = pressKey({ key: '', ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, inField: false, ownUndo: false, ...patch }, controller);
    return [handled, ...done];
  };
  it.each<[Partial<KeyPress>, unknown[]]>([
    [{ key: 'z', ctrlKey: true }, [true, 'undo']],
    [{ key: 'Z', ctrlKey: true, shiftKey: true }, [true, 'redo']],
    [{ key: 'z', metaKey: true }, [true, 'undo']],
    [{ key: 'y', ctrlKey: true }, [true, 'redo']],
    [{ key: 'z', ctrlKey: true, inField: true }, [true, 'undo']],
    [{ key: 'z', ctrlKey: true, inField: true, ownUndo: true }, [false]],
    [{ key: '?', shiftKey: true }, [true, 'togglePanel "help"']],
    [{ key: '?', inField: true }, [false]],
    [{ key: '3' }, [true, 'setChart {"tab":"map"}']],
    [{ key: '3', inField: true }, [false]],
    [{ key: '3', ctrlKey: true }, [false]],
    [{ key: '3', altKey: true }, [false]],
    [{ key: 'Escape', inField: true }, [false, 'closePanel']],
    [{ key: 'a' }, [false]],
  ])('%j does %j', (patch, expected) => expect(press(patch)).toEqual(expected));
});
