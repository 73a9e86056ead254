// src/server.js, from the build context
const server = require("tiny-server");
server.listen(3000);
