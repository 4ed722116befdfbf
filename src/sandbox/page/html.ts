/** HTML that is made already. Everything else is text and is escaped. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | number | Html | readonly Part[] | null;

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Writes HTML as it stands and escapes what is put in. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.reduce((text, string, index) => text + textOf(parts[index - 1] ?? null) + string));
}

function textOf(part: Part): string {
  if (part === null) return "";
  if (part instanceof Html) return part.text;
  if (typeof part === "object") return part.map(textOf).join("");
  return String(part).replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}

/** A table with a caption, or a sentence when there is nothing to put in it. */
export function table(caption: string, columns: readonly string[], rows: readonly (readonly Part[])[]): Html {
  const id = caption.toLowerCase().replaceAll(" ", "-");
  const heading = html`<h2 id="${id}">${caption}</h2>`;
  if (rows.length === 0)
    return html`<section aria-labelledby="${id}">
      ${heading}
      <p>None.</p>
    </section> `;
  const head = columns.map((column) => html`<th scope="col">${column}</th>`);
  const body = rows.map(
    (row) =>
      html`<tr>
        ${row.map((cell) => html`<td>${cell}</td>`)}
      </tr> `,
  );
  return html`<section aria-labelledby="${id}">
    ${heading}
    <table aria-labelledby="${id}">
      <thead>
        <tr>
          ${head}
        </tr>
      </thead>
      <tbody>
        ${body}
      </tbody>
    </table>
  </section> `;
}
