import { FIRST_VALUES, GENERATED, SET_BY_COMPOSE } from './deployment.ts';
import { sections, type Key } from './keys.ts';

const WIDTH = 110;

/** `.env.example`: what must be set stands there to be filled in, what may be set as a comment. */
export function asEnvExample(): string {
  const head = [
    'Every setting of Kopeck. Printed by `npm run kopeck -- env-example`; docs/configuration.md is the',
    'same as a table. install.sh makes .env of this and fills in whatever can be generated.',
    'A value with anything but letters, digits and . : / , _ - stands in single quotes. Instead of a',
    'secret KEY, a service also takes KEY_FILE, the path of a file that holds it.',
  ];
  const parts = sections().map(({ title, keys }) =>
    [`# --- ${title} ---`, '', ...keys.map(entry)].join('\n'),
  );
  return `${head.map((line) => `# ${line}`).join('\n')}\n\n${parts.join('\n')}`;
}

/** docs/configuration.md. */
export function asDocument(): string {
  const parts = sections().map(({ title, keys }) =>
    [`## ${title}`, '', ...table(keys), '', ...examples(keys)].join('\n'),
  );
  return [HEAD, ...parts].join('\n').trimEnd() + '\n';
}

const HEAD = `# Configuration

Everything that can be set stands in one file, \`.env\` (mode 600). This page is printed from the schemas that
the services check it with (\`npm run kopeck -- env-example --docs\`), and a test holds it to them. A service
that finds a mistake names every one of them at once, prints no value, and does not start.

- Lists are separated by commas. Of a list of secrets the first is current and the rest are still accepted,
  so that a secret can be changed without a gap (\`kopeck rotate-token\`).
- For every key \`X\` a service also takes \`X_FILE\`, the path of a file that holds the value.
- No secret has a default. *generated* means that \`install.sh\` makes one with \`openssl rand\`.
- An empty value is the same as none.
- After a change: \`kopeck restart\`, or \`docker compose up -d\`.
- The images of a release stand in its \`images.lock\` (\`KOPECK_IMAGE\`, \`TRAEFIK_IMAGE\`, \`REDIS_IMAGE\`,
  \`MARIADB_IMAGE\`); one of these keys in \`.env\` wins over the release, for a mirror of a registry.
`;

function entry(key: Key): string {
  const lines = wrap(`${key.meaning}. ${needs(key)} Read by ${key.readers.join(', ')}.`);
  const comment = lines.map((line) => `# ${line}\n`).join('');
  return `${comment}${assignment(key)}\n`;
}

function needs({ isRequired, requiredWith }: Key): string {
  if (isRequired) return 'Required.';
  return requiredWith === null ? 'Optional.' : `Needed with ${requiredWith}.`;
}

function assignment({ name, fallback, isRequired, example }: Key): string {
  const isAsked = isRequired || GENERATED.has(name);
  if (isAsked && !SET_BY_COMPOSE.has(name)) return `${name}=${FIRST_VALUES[name] ?? ''}`;
  return `#${name}=${quoted(fallback ?? example ?? '')}`;
}

function quoted(value: string): string {
  return /^[\w.:/,@-]*$/.test(value) ? value : `'${value.replaceAll("'", "\\'")}'`;
}

function table(keys: readonly Key[]): readonly string[] {
  const rows = keys.map((key) => [
    `\`${key.name}\``,
    escaped(key.meaning),
    defaultOf(key),
    key.readers.join(', '),
  ]);
  return [row(['key', 'meaning', 'default', 'read by']), '|---|---|---|---|', ...rows.map(row)];
}

function defaultOf({ name, fallback, isRequired, isSecret, requiredWith }: Key): string {
  if (GENERATED.has(name)) return 'generated';
  if (SET_BY_COMPOSE.has(name)) return fallback === null ? 'set by Compose' : `\`${fallback}\``;
  if (isRequired) return isSecret ? 'required, generated' : required(FIRST_VALUES[name]);
  if (fallback !== null) return `\`${escaped(fallback)}\``;
  return requiredWith === null ? 'none' : `needed with \`${requiredWith}\``;
}

function required(first: string | undefined): string {
  return first === undefined ? 'required' : `required; install.sh begins with \`${first}\``;
}

function examples(keys: readonly Key[]): readonly string[] {
  return keys.flatMap(({ name, example }) =>
    example === null ? [] : [`\`${name}\`, for example:`, '', '```', example, '```', ''],
  );
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/<([^>]*)>/g, '&lt;$1&gt;');
}

function wrap(text: string): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length + 1 > WIDTH) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
