import { traitsOf } from '../../recipe/methods';
import { METHODS, type Method } from '../../recipe/types';
import { useController, useStudio } from '../studio';

/** In the order of the menu; within a group the newest idea first. */
const GROUPS: readonly { readonly label: string; readonly has: (method: Method) => boolean }[] = [
  { label: 'Elect a sign', has: (method) => traitsOf(method).elects },
  { label: 'Weighted sums', has: (method) => !traitsOf(method).elects && traitsOf(method).angle === null },
  { label: 'By angles', has: (method) => traitsOf(method).angle !== null },
];

/** The method, and one line that says what it does. */
export function MethodSelect() {
  const controller = useController();
  const method = useStudio((state) => state.decisions.present.recipe.method);
  return (
    <>
      <label className="pair">
        <span>method</span>
        <select aria-label="Method" aria-describedby="method-about" value={method} onChange={(event) => controller.setMethod(event.target.value as Method)}>
          {GROUPS.map(({ label, has }) => (
            <optgroup key={label} label={label}>
              {METHODS.filter(has)
                .toReversed()
                .map((one) => (
                  <option key={one} value={one}>
                    {traitsOf(one).label}
                  </option>
                ))}
            </optgroup>
          ))}
        </select>
      </label>
      <p className="method-about" id="method-about">
        {traitsOf(method).about}
      </p>
    </>
  );
}
