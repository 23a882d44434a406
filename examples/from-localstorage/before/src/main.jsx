import { createRoot } from "react-dom/client";
import { App } from "./App.jsx";
import { AuthProvider } from "./auth.jsx";
import "./style.css";

createRoot(document.getElementById("root")).render(<AuthProvider><App /></AuthProvider>);
