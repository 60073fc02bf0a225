/** Everything that the page says. Edit it here; nothing else needs to be touched. */

export interface Work {
  title: string;
  year: number;
  kind: string;
  summary: string;
  /** Where it can be seen; leave it out while there is nothing to see. */
  link?: string;
  /** The two colours of its picture. */
  colours: [string, string];
}

export const opening = {
  claim: 'I make things that are clear, useful and a little bit delightful.',
  about: [
    'I have spent ten years between design and engineering: drawing what a product should feel like, then building it until it does.',
    'I like small teams, honest constraints and software that people forget they are using.',
  ],
  skills: ['Interface design', 'Prototyping', 'TypeScript', 'Accessibility', 'Workshops'],
  mail: 'hello@example.com',
};

export const works: Work[] = [
  { title: 'Tidewater', year: 2026, kind: 'Product', summary: 'A planner for community gardens that works without a network.', colours: ['#0f766e', '#a7f3d0'] },
  { title: 'Letterform', year: 2025, kind: 'Brand', summary: 'A typeface and an identity for an independent press.', colours: ['#9a3412', '#fed7aa'] },
  { title: 'Night Bus', year: 2025, kind: 'Product', summary: 'Departure boards one can read from across the street.', colours: ['#1e3a8a', '#bfdbfe'] },
  { title: 'Slow Radio', year: 2024, kind: 'Installation', summary: 'A room that plays what the weather sounds like elsewhere.', colours: ['#6b21a8', '#f5d0fe'] },
  { title: 'Ledgerline', year: 2023, kind: 'Product', summary: 'Bookkeeping for musicians, told as a score.', colours: ['#854d0e', '#fef08a'] },
];
