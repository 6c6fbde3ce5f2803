import { useState } from "preact/hooks";

const NAMES = ["alice", "bob", "carol"];

/** Picks a user of the development issuer. */
export function Login({ onChoose }: { onChoose: (user: string) => void }) {
  const [name, setName] = useState("");
  return (
    <main class="login">
      <form
        class="card"
        data-testid="login"
        onSubmit={(event) => {
          event.preventDefault();
          if (name.trim() !== "") onChoose(name.trim());
        }}
      >
        <img src="./dayfly.svg" alt="" width="48" height="48" />
        <h1>Dayfly</h1>
        <p>Each message is run by an engine of its own that lives for one invocation. Whom do you want to be?</p>
        <div class="names">
          {NAMES.map((user) => (
            <button type="button" key={user} data-testid={`user-${user}`} onClick={() => onChoose(user)}>
              {user}
            </button>
          ))}
        </div>
        <label for="user">Another name</label>
        <div class="row">
          <input
            id="user"
            data-testid="user"
            maxLength={255}
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
          />
          <button type="submit" class="primary" disabled={name.trim() === ""}>
            Start
          </button>
        </div>
      </form>
    </main>
  );
}
