/**
 * Starts workers so that the page's Content-Security-Policy covers them on every host. A worker loaded from a URL takes its
 * policy from that response alone, and a static host sends none with it; one that starts from a `blob:` inherits the policy
 * of whoever made it, `<meta>` included, and so do the workers it starts itself.
 */

/** What the policy calls the one way a script address is made (`trusted-types` in scripts/headers.mjs). */
const POLICY_NAME = 'studio-script';

interface TrustedTypesLike {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

/** Addresses of the starters made so far: one for a script, kept, since browsers differ in when one may be revoked. */
const starters = new Map<string, string>();

/** Only addresses of this origin, and the starters made here, ever become a script. */
function createScriptURL(url: string): string {
  const isOurs = [...starters.values()].includes(url) || new URL(url, self.origin).origin === self.origin;
  if (!isOurs) throw new TypeError(`${url} is not a script of this page`);
  return url;
}

const trustedTypes = (globalThis as { trustedTypes?: TrustedTypesLike }).trustedTypes;
const policy = trustedTypes?.createPolicy(POLICY_NAME, { createScriptURL }) ?? { createScriptURL };

/** `url` as an address that may become a script where Trusted Types are asked for. Throws TypeError for another origin's. */
export function scriptUrl(url: string): string {
  return policy.createScriptURL(url);
}

/** Starts the module at `url`, an address of this origin, as a worker under this page's or worker's own policy. */
export function spawnModule(url: string, name: string): Worker {
  const address = new URL(url, self.origin).href;
  let starter = starters.get(address);
  if (starter === undefined) {
    starter = URL.createObjectURL(new Blob([`import ${JSON.stringify(address)};`], { type: 'text/javascript' }));
    starters.set(address, starter);
  }
  return new Worker(scriptUrl(starter), { type: 'module', name });
}
