import express from "express";

import { NoteStore } from "./notes";

const app = express();
const store = new NoteStore();
const port = Number(process.env.PORT ?? 3000);

app.use(express.json());

app.get("/health", (_request, response) => {
  response.json({ status: "ok" });
});

app.get("/notes", (_request, response) => {
  response.json(store.all());
});

app.get("/notes/:id", (request, response) => {
  const note = store.find(Number(request.params.id));
  if (note === undefined) {
    response.status(404).json({ error: "no such note" });
    return;
  }
  response.json(note);
});

app.post("/notes", (request, response) => {
  const text: unknown = request.body?.text;
  if (typeof text !== "string" || text.trim() === "") {
    response.status(400).json({ error: "text: expected words, got none" });
    return;
  }
  response.status(201).json(store.add(text));
});

app.listen(port, () => {
  console.log(`notes-server listens on port ${port}`);
});
