/** Of an option of a command: a count, seconds, minutes or a seed. Throws, and names the option, when it is none. */
export function numberOf(option: string, text: string): number {
  return numberCalled(`--${option}`, text);
}

/** Of a variable of the environment. Throws, and names it, when it is set and no number. */
export function numberFrom(variable: string, otherwise: number): number {
  return numberCalled(variable, process.env[variable] ?? String(otherwise));
}

function numberCalled(name: string, text: string): number {
  const number = Number(text);
  if (text.trim() !== '' && Number.isFinite(number) && number >= 0) return number;
  throw new Error(`${name} must be a number, and is '${text}'`);
}
