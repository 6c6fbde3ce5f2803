import { render } from "preact";
import { App } from "./app";
import "./style/base.css";
import "./style/login.css";
import "./style/conversation.css";
import "./style/approval.css";
import "./style/composer.css";
import "./style/dialog.css";
import "./style/log.css";
import "./style/frame.css";

const root = document.getElementById("app");
if (root === null) throw new Error("The page has no element #app.");
render(<App />, root);
