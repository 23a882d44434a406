// What happened, in order: filled in by a scenario while it happens, drawn by `draw`.

export class Story {
  steps = [];

  constructor(title, actors) {
    Object.assign(this, { title, actors });
  }

  /** One says something to another. `tone` is "good" or "bad"; `ms` is when, or how long it took. */
  message(from, to, text, { tone, ms } = {}) {
    this.steps.push({ kind: "message", from, to, text, tone, ms });
  }

  /** Something is so at an actor, or at several. */
  note(over, text, { tone, ms } = {}) {
    this.steps.push({ kind: "note", over: [over].flat(), text, tone, ms });
  }

  /** Time goes by. */
  pass(text) {
    this.steps.push({ kind: "pass", text });
  }
}
