import { takeOver } from "@counterfoil/client/migrate";
import { createRoot } from "react-dom/client";
import { client } from "./api.js";
import { App } from "./App.jsx";
import "./style.css";

// Whoever was signed in stays signed in: the old token is exchanged for a session, and removed.
await takeOver(client, { storage: localStorage, key: "token" });

createRoot(document.getElementById("root")).render(<App />);
