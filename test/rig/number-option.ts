/** Of an option of a command: a count, seconds, minutes or a seed. Throws, and names the option, when it is none. */
export function numberOf(option: string, text: string): number {
  const number = Number(text);
  if (text.trim() !== '' && Number.isFinite(number) && number >= 0) return number;
  throw new Error(`--${option} must be a number, and is '${text}'`);
}
