// [data-print] opens the browser's print dialogue.
const reveal = () => {
  for (const button of document.querySelectorAll("[data-print]")) button.hidden = false;
};
reveal();
document.addEventListener("htmx:load", reveal);
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
