// On the review page: j and k walk the cells, f goes to the next finding, c comments.
const cells = [...document.querySelectorAll("[data-cell]")];
const findings = [...document.querySelectorAll("[data-finding]")];
const links = new Map([...document.querySelectorAll("[data-outline] a")].map((link) => [link.hash.slice(1), link]));
let current = -1;
let finding = -1;

const isTyping = (element) => /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName);

const mark = (index) => {
  cells[current]?.classList.remove("is-current");
  links.get(cells[current]?.id)?.removeAttribute("aria-current");
  current = index;
  cells[current].classList.add("is-current");
  links.get(cells[current].id)?.setAttribute("aria-current", "true");
};

const go = (index) => {
  if (!cells.length) return;
  mark(Math.min(Math.max(index, 0), cells.length - 1));
  cells[current].scrollIntoView({ block: "start" });
  cells[current].focus({ preventScroll: true });
};

const goToFinding = () => {
  if (!findings.length) return;
  finding = (finding + 1) % findings.length;
  const cell = findings[finding].closest("[data-cell]");
  if (cell) mark(cells.indexOf(cell));
  findings[finding].scrollIntoView({ block: "center" });
  findings[finding].focus({ preventScroll: true });
};

const comment = () => {
  const place = cells[Math.max(current, 0)]?.querySelector("[data-comment]");
  if (!place) return;
  place.open = true;
  place.querySelector("textarea").focus();
};

const keys = { j: () => go(current + 1), k: () => go(current - 1), f: goToFinding, c: comment };

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (!keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});
