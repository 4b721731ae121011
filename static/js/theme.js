// Applies the remembered theme before the first paint and switches it on request.
// A classic script in <head>: a module would run too late and flash the other theme.
(() => {
  const KEY = "countersign:theme";
  const root = document.documentElement;
  const remembered = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // storage is off: the system's preference decides
    }
  };
  const isDark = () =>
    (root.dataset.bsTheme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

  const theme = remembered();
  if (theme === "light" || theme === "dark") root.dataset.bsTheme = theme;

  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    root.dataset.bsTheme = isDark() ? "light" : "dark";
    try {
      localStorage.setItem(KEY, root.dataset.bsTheme);
    } catch {
      // Not remembered, but switched for this page.
    }
  });
})();
