const path = require("path");

module.exports = {
  target: "node14",
  entry: "./src/server.ts",
  devtool: "source-map",
  module: {
    rules: [{ test: /\.ts$/, use: "ts-loader", exclude: /node_modules/ }],
  },
  resolve: { extensions: [".ts", ".js"] },
  // express stays in node_modules: the final stage installs it there.
  externals: { express: "commonjs express" },
  output: {
    filename: "server.js",
    path: path.resolve(__dirname, "dist"),
  },
};
