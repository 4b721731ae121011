// "/" moves to the catalog search, unless the person is typing.
const search = document.querySelector("[data-search]");

const isTyping = (element) =>
  element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName);

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (!search || isTyping(event.target)) return;
  event.preventDefault();
  search.focus();
  search.select();
});
