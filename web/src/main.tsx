import "@fontsource/inter/latin-400.css";
import "@fontsource/inter/latin-600.css";
import "@fontsource/jetbrains-mono/latin-400.css";
import "@fontsource/jetbrains-mono/latin-600.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/live.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ArenaProvider } from "./arena";
import { Boundary } from "./Boundary";
import { Live } from "./live/Live";
import { Preferences } from "./settings";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <Preferences>
      <Boundary>
        <ArenaProvider>
          <Live />
        </ArenaProvider>
      </Boundary>
    </Preferences>
  </StrictMode>,
);
