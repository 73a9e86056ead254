// src/notes.js, from the build context
exports.notes = [];
