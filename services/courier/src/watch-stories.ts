import type { Story } from './story.ts';

/** What services see when they look around. */
export const WATCH_STORIES: Readonly<Record<string, Story>> = {
  'queue-late': {
    title: 'events wait too long to be booked',
    what: 'The oldest event of a queue has waited longer than QUEUE_LATE_MINUTES.',
    money:
      'Nothing is lost: what waits is in the journals and in Redis, and is booked in its turn. Until then balances and messages are late.',
    todo: "See whether MariaDB is slow or away, and look into the ledger's log: kopeck logs ledger.",
  },
  'partner-silent': {
    title: 'a partner has told nothing for a long time',
    what: 'No event of this source has come for as many hours as PARTNER_SILENT_HOURS says.',
    money: 'Payments may be made that nobody tells of. What has come is booked.',
    todo: 'kopeck doctor says whether the webhook is still set, and to where; kopeck reconcile books what was missed. If nothing was sold, raise the hours.',
    over: 'Events come again. See with kopeck reconcile whether any was missed meanwhile.',
  },
  'audit-failed': {
    title: 'the audit of the books has failed',
    what: 'A row of the books is not what it was when it was booked, or is missing. The figures name the first one.',
    money:
      'Nobody can say yet. Booking goes on; what is wrong is before the row that the figures name.',
    todo: 'Change nothing in the database. Run kopeck audit, and hold the books against the head of an older mail: kopeck audit --head SEQ:HASH. Then restore a backup from before, or ask for help.',
    over: 'The newest audit finds nothing wrong. See who has changed the database.',
  },
  'signatures-failing': {
    title: 'many deliveries with a wrong signature',
    what: 'More forged or unsigned deliveries than FORGED_PER_MINUTE came within a minute.',
    money:
      'Nothing of them was stored or booked. If they are genuine, because a token or secret was changed, a partner repeats them for some hours only.',
    todo: "Was a token changed at the partner's or here? Set the new one (kopeck env). If not, somebody is trying keys: nothing has to be done.",
    over: 'None has come for five minutes. If genuine ones were refused: kopeck reconcile.',
  },
  'webhook-missed': {
    title: 'payments were found of which no webhook had come',
    what: 'The reconciliation has found paid invoices or Stars in the list of the partner that had not been told.',
    money: 'They are booked now, as if they had been told.',
    todo: 'kopeck doctor says whether the webhook is set to here, and what the partner says of its last error.',
    over: 'The newest reconciliation has found nothing.',
  },
  'disk-low': {
    title: 'the disk is nearly full',
    what: 'Less than 15 % of the disk is free. At 10 % the receivers refuse new events.',
    money: 'Nothing is lost yet.',
    todo: 'Make room: docker system prune, old backups (kopeck backup keeps BACKUP_KEEP of them), other programs of this host.',
  },
  'memory-low': {
    title: 'memory is nearly used up',
    what: 'Less than 5 % of the memory of this host is available. The kernel may end a process at any moment.',
    money: 'Nothing is lost when a process of ours is ended: it starts again and goes on.',
    todo: 'See what uses it (docker stats), and give the host more memory or swap.',
  },
  'certificate-ends': {
    title: 'the certificate ends soon',
    what: 'Partners will not deliver to a host whose certificate has run out.',
    money: 'Nothing is lost yet.',
    todo: 'See why it is not renewed: kopeck doctor, kopeck logs traefik. Port 80 or 443 must be reachable for ACME.',
    over: 'A new certificate is in place.',
  },
};
