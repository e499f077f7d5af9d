/** What the operator is told about an incident. ASCII, so that a raw message can be read. */
export interface Story {
  /** Ends "OPEN: ...", "STILL OPEN: ...", "OVER: ...". */
  readonly title: string;
  readonly what: string;
  readonly money: string;
  readonly todo: string;
  /** What it has meant for money, once it is over; missing: what was kept is booked. */
  readonly over?: string;
}
