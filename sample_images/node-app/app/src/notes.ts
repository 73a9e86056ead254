export interface Note {
  id: number;
  text: string;
  createdAt: string;
}

/** Notes in memory, oldest first. */
export class NoteStore {
  private readonly notes: Note[] = [];
  private nextId = 1;

  constructor(private readonly now: () => Date = () => new Date()) {}

  add(text: string): Note {
    const note = { id: this.nextId, text, createdAt: this.now().toISOString() };
    this.nextId += 1;
    this.notes.push(note);
    return note;
  }

  all(): readonly Note[] {
    return this.notes;
  }

  find(id: number): Note | undefined {
    return this.notes.find((note) => note.id === id);
  }
}
