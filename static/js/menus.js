// Menus are <details data-menu>: close them with Escape, by a click or focus elsewhere.
const openMenus = () => document.querySelectorAll("details[data-menu][open]");

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

const closeOthers = (event) => {
  for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
};
document.addEventListener("click", closeOthers);
document.addEventListener("focusin", closeOthers);
