// A plain text with line numbers beside it; the line of an error is marked and selected.
(() => {
  const text = document.querySelector("[data-lined]");
  const numbers = document.querySelector("[data-numbers]");
  if (!text || !numbers) return;
  let bad = Number(text.dataset.line);

  function draw() {
    const count = text.value.split("\n").length;
    if (numbers.childElementCount !== count) {
      numbers.replaceChildren(...Array.from({ length: count }, () => document.createElement("li")));
    }
    for (const [index, item] of [...numbers.children].entries()) item.className = index + 1 === bad ? "bad" : "";
    numbers.scrollTop = text.scrollTop;
  }

  function select(line) {
    const lines = text.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
    text.focus();
    text.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
    text.scrollTop = Math.max(0, (line - 6) * 18);
  }

  text.addEventListener("input", () => {
    bad = 0;
    draw();
  });
  text.addEventListener("scroll", () => (numbers.scrollTop = text.scrollTop));
  // Tab indents; Esc leaves the field, so that the keyboard is not caught in it.
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Tab" || event.shiftKey || text.readOnly) return;
    event.preventDefault();
    text.setRangeText("  ", text.selectionStart, text.selectionEnd, "end");
    text.dispatchEvent(new Event("input"));
  });
  document.querySelector('input[name="at"]')?.addEventListener("focus", () => {
    document.querySelector('input[name="from"][value="at"]').checked = true;
  });
  draw();
  if (bad) select(bad);
})();
