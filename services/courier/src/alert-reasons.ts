export interface AlertReason {
  readonly title: string;
  readonly what: string;
  readonly todo: string;
  /** Where the event has moved money. */
  readonly money?: string;
}

/** What the operator is told about an event of the ledger, by the reason of its alert. */
export function alertReason(reason: string): AlertReason {
  return (
    REASONS[reason] ?? {
      title: `to be looked at (${reason})`,
      what: 'The ledger could not book an event as it stands. It is kept.',
      todo: 'Look the event up by its id.',
    }
  );
}

const REASONS: Readonly<Record<string, AlertReason>> = {
  quarantined: {
    title: 'quarantined (authentic, but senseless)',
    what: 'A partner sent something authentic that cannot be read as an event. It was answered, kept with its raw bytes, and not booked.',
    todo: 'Look the event up by its id and see what came. If money was paid, the genuine event is still booked whenever it comes.',
  },
  conflict: {
    title: 'came again with other content',
    what: 'A partner sent an event whose id is booked already, with another amount, asset or reference. Both are kept; the first one stays booked.',
    todo: 'Compare the two (table conflicts) and ask the partner which one is right.',
  },
  suspense: {
    title: 'paid, but not explained',
    what: 'Somebody has paid, and no order or payload of ours says for what, or it asks for another amount.',
    money:
      'The money is booked to suspense instead of sales, and nobody was given anything for it. It settles itself when its order comes.',
    todo: 'See what was paid and by whom, and decide: give what was meant, or give the money back.',
  },
  'below-zero': {
    title: "took a user's balance below zero",
    what: 'A payment or an action was taken back after the user had spent what it gave.',
    money: 'What it gave is taken back in full, so the user owes the difference.',
    todo: 'Decide whether the user may go on, and settle it with them.',
  },
  'charge-back': {
    title: 'charged back (completed, then rejected)',
    what: 'An affiliate network has rejected an action that it had completed.',
    money:
      'The commission, and the cashback of the user where there was one, are taken back in full. Nothing else has moved; a user who has spent the cashback is below zero now.',
    todo: 'Ask the network why, and decide what to do about the cashback of the user.',
  },
  're-approved': {
    title: 'approved after a rejection',
    what: 'An affiliate network has completed an action that it had rejected.',
    money: 'The commission, and the cashback of the user where there is one, are booked again.',
    todo: 'Nothing, unless it happens often: then ask the network.',
  },
  revision: {
    title: 'revised (same status, other amounts)',
    what: 'An affiliate network has told other amounts for a status that it had told before. Each is kept as an event of its own.',
    money: 'The difference is booked; the newest amounts are in force.',
    todo: 'Compare them with the cabinet of the network if they look odd.',
  },
};
