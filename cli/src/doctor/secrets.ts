import type { Context } from '../commands/command.ts';
import { SERVICES } from '../suite/services.ts';

const SECRET_KEY = /TOKEN|SECRET|PASSWORD|_KEY$/;
const ADDRESS_KEY = /_URLS?$/;

/** Every secret of the configuration that can be found: what no line of ours may show. */
export function secretsOf({ find }: Pick<Context, 'find'>): readonly string[] {
  const keys = new Set(SERVICES.flatMap((service) => service.keys));
  return [...keys].flatMap((key) => {
    const value = find(key);
    if (value === undefined) return [];
    if (SECRET_KEY.test(key)) return value.split(',').map((part) => part.trim());
    return ADDRESS_KEY.test(key) && URL.canParse(value) ? passwordsOf(value) : [];
  });
}

function passwordsOf(url: string): readonly string[] {
  const { password } = new URL(url);
  return password === '' ? [] : [password, decodeURIComponent(password)];
}
