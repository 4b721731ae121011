// What makes a live page of Voilà's front end: keeps what each cell shows, and says in words how the
// session stands.  A federated extension in the form that JupyterLab's loader expects, written by
// hand; it takes JupyterLab's own parts from what the front end shares.
//
// The server tells a page everything anew whenever it connects, so nothing is remembered here
// across a lost connection.
(() => {
  const NAME = "countersign-live";
  const CORE = "_JUPYTERLAB.CORE_OUTPUT";
  const OURS = "cell_outputs";
  // After this long a page that has connected again shows outputs whether its widgets came or not.
  const PATIENCE_MS = 8000;
  // And after this long a page that found no session at all says so.
  const NEVER_MS = 30000;
  const LOST = "This page has lost its connection. Load the page again.";
  const OUTSIDE = "Pictures from other addresses, such as the tiles of maps, are left out.";
  const ENDED = "The session has ended. What it showed last stays here until you leave.";

  // What the page's policy does not govern: it could carry rows to anybody.
  for (const name of ["RTCPeerConnection", "webkitRTCPeerConnection", "RTCDataChannel"]) {
    delete globalThis[name];
  }

  // What may be wider than it shows, and what it is given then, so that the keyboard reaches it.
  const BOXES = ".cs-cell, .jp-OutputArea-output, pre";
  const SCROLLING = [["tabindex", "0"], ["role", "region"], ["aria-label", "Output"]];
  const PARTS = [
    "@jupyterlab/outputarea",
    "@lumino/widgets",
    "@lumino/messaging",
    "@jupyterlab/rendermime",
  ];

  /** Stands in for leaflet-measure, which makes code of text when it is loaded: the policy does not let
   *  it, and every map would be lost with it. */
  const measureStandIn = async () => {
    const leaflet = await part("leaflet");
    leaflet.Control.Measure = leaflet.Control.extend({
      onAdd: () => {
        const said = leaflet.DomUtil.create("div", "leaflet-control-attribution");
        said.textContent = "Measuring is not possible on this page.";
        return said;
      },
    });
    leaflet.control.measure = (options) => new leaflet.Control.Measure(options);
    return () => leaflet.Control.Measure;
  };

  let shared;

  /** One of JupyterLab's packages, the front end's own and not one that an extension brought. */
  const part = async (name) => {
    const versions = Object.values(shared[name]);
    const found = versions.find(({ from }) => from === CORE) ?? versions[0];
    const factory = await found.get();
    return factory();
  };

  /** What one code cell shows, and where it stands. */
  class Cell {
    constructor(node, { outputarea, widgets, messaging, rendermime }) {
      this.node = node;
      this.number = Number(node.dataset.number);
      this.state = "";
      this.model = new outputarea.OutputAreaModel({ trusted: true });
      this.area = new outputarea.SimplifiedOutputArea({ model: this.model, rendermime });
      this.fit = () =>
        messaging.MessageLoop.sendMessage(this.area, widgets.Widget.ResizeMessage.UnknownSize);
      widgets.Widget.attach(this.area, node);
      this.model.changed.connect((_, { newIndex }) => {
        this.markFailed(newIndex);
        this.mark();
      });
    }

    apply({ change, status, output, index }) {
      if (change === "append") this.model.add(output);
      else if (change === "set") this.model.set(index, output);
      else if (change === "clear") this.model.clear();
      else if (change === "finished") this.state = status === "error" ? "error" : "ok";
      else if (change === "waiting") this.state = "waiting";
      else if (change === "started" || change === "resumed") this.state = "running";
      this.mark();
    }

    forget() {
      this.state = "";
      this.mark();
    }

    mark() {
      this.node.dataset.state = this.state;
      this.node.toggleAttribute("data-shows", this.model.length > 0);
    }

    /** Only the output that has changed is looked at: there may be thousands. */
    markFailed(at) {
      this.area.widgets[at]?.node.toggleAttribute("data-failed", this.model.get(at)?.type === "error");
    }
  }

  /** The line at the top, and the banner below it when there is nothing more to wait for. */
  class Status {
    constructor(cells) {
      this.cells = cells;
      this.connection = "connecting";
      this.bar = document.getElementById("cs-bar");
      this.line = document.getElementById("cs-status");
      this.banner = document.getElementById("cs-banner");
    }

    show() {
      const [state, words] = this.words();
      if (this.bar.dataset.state !== state) this.bar.dataset.state = state;
      // Written only when it changes, since every writing is read out.
      if (this.line.textContent !== words) this.line.textContent = words;
    }

    words() {
      if (this.connection === "ended") return ["ended", "The session has ended"];
      if (this.connection === "lost") return ["lost", "No connection"];
      if (this.connection === "again") return ["again", "Connecting again…"];
      const all = [...this.cells.values()];
      const at = (state) => all.find((cell) => cell.state === state);
      const cell = at("running");
      if (at("waiting")) return ["waiting", "Waiting for your input"];
      if (cell?.number) return ["running", `Running cell ${cell.number} of ${this.bar.dataset.total}`];
      const failed = all.findLast((each) => each.state === "error");
      if (failed && !cell) {
        const which = failed.number ? `Cell ${failed.number}` : "A cell";
        return ["failed", `${which} ended with an error`];
      }
      const counted = all.filter((each) => each.number);
      if (counted.every((each) => each.state === "ok")) return ["ready", "Ready"];
      return ["starting", "Starting…"];
    }

    /** No more is to come: say so where the reader looks. */
    end(connection, sentence) {
      if (!this.banner.hidden) return;
      this.connection = connection;
      this.banner.textContent = sentence;
      this.banner.hidden = false;
      document.body.dataset.over = "";
      this.show();
    }
  }

  /** Applies what the server says in order; holds it back while widgets are fetched again. */
  class Session {
    constructor(manager, cells, status) {
      this.manager = manager;
      this.cells = cells;
      this.status = status;
      this.held = null;
      const { kernel } = manager;
      kernel.iopubMessage.connect((_, message) => this.hear(message));
      kernel.statusChanged.connect((_, state) => this.kernelIs(state));
      kernel.connectionStatusChanged.connect((_, state) => this.connectionIs(state));
      manager.restored.connect(() => this.release());
      this.connectionIs(kernel.connectionStatus);
      if (kernel.status === "dead") this.kernelIs("dead");
    }

    hear(message) {
      if (message.header.msg_type !== OURS) return;
      if (this.held) this.held.push(message.content);
      else this.apply(message.content);
    }

    apply(content) {
      this.cells.get(content.cell)?.apply(content);
      this.status.show();
    }

    hold() {
      clearTimeout(this.patience);
      this.held = [];
      this.patience = setTimeout(() => this.release(), PATIENCE_MS);
    }

    release() {
      clearTimeout(this.patience);
      const held = this.held ?? [];
      this.held = null;
      for (const content of held) this.apply(content);
    }

    kernelIs(state) {
      document.getElementById("cs-bar").toggleAttribute("data-busy", state === "busy");
      if (state === "dead") this.status.end("ended", ENDED);
    }

    connectionIs(state) {
      const { status } = this;
      if (state === "connected") {
        if (status.connection === "again") this.startAgain();
        status.connection = "connected";
      } else if (state === "disconnected") {
        status.end("lost", LOST);
      } else if (status.connection === "connected") {
        status.connection = "again";
      }
      status.show();
    }

    /** Connected once more: what was under way is lost, and everything will be told anew. */
    startAgain() {
      // An output that names a widget waits for it by itself the first time, but not later.
      this.hold();
      for (const cell of this.cells.values()) cell.forget();
      // A widget waits for the answer to what it sent last, which was lost with the connection.
      for (const found of Object.values(this.manager._models ?? {})) {
        found.then((model) => {
          model._pending_msgs = 0;
          model._msg_buffer = null;
          model._expectedEchoMsgIds?.clear();
        }).catch(() => {});
      }
    }
  }

  // A link or a form would lead out of the page, and the policy would leave an empty frame of it.
  const stay = (event) => {
    const link = event.composedPath()[0].closest?.("a[href], area[href]");
    const leaves = event.type === "submit" || (link && !link.getAttribute("href").startsWith("#"));
    if (leaves) event.preventDefault();
  };

  /** Say once that the policy has kept pictures out. */
  const tellOutsidePictures = () => {
    const note = document.createElement("p");
    note.className = "cs-note";
    note.setAttribute("role", "status");
    document.querySelector(".cs-cells").before(note);
    addEventListener("securitypolicyviolation", ({ effectiveDirective }) => {
      if (effectiveDirective === "img-src") note.textContent = OUTSIDE;
    });
  };

  /** ipywidgets leaves the handles of its sliders without a name; they get that of their control. */
  const nameSlider = (handle, number) => {
    const label = handle.closest(".widget-slider")?.querySelector(".widget-label");
    const isUpper = handle.matches(".noUi-handle-upper");
    handle.setAttribute("aria-label", isUpper ? "to" : "Slider");
    if (!label?.textContent) return;
    label.id ||= `cs-label-${number}`;
    handle.id ||= `cs-handle-${number}`;
    handle.setAttribute("aria-labelledby", isUpper ? `${label.id} ${handle.id}` : label.id);
  };

  const scrolls = (box) =>
    box.scrollWidth > box.clientWidth && getComputedStyle(box).overflowX === "auto";

  /** Keep what comes and changes usable by the keyboard alone and by ear.
   *
   *  Once a frame, and only what has changed is measured: there may be thousands of outputs.
   */
  const keepUsable = (cells) => {
    const changed = new Set();
    let sliders = 0, asked = 0;
    const look = () => {
      asked = 0;
      for (const handle of cells.querySelectorAll("[role=slider]:not([aria-label])")) {
        nameSlider(handle, (sliders += 1));
      }
      // All are measured before any is written to, or each would have the page laid out anew.
      const found = Array.from(changed, (box) => [box, scrolls(box)]);
      changed.clear();
      for (const [box, isScrolling] of found) {
        for (const [name, value] of SCROLLING) {
          if (isScrolling) box.setAttribute(name, value);
          else box.removeAttribute(name);
        }
      }
    };
    const lookSoon = () => (asked ||= requestAnimationFrame(look));
    const sizes = new ResizeObserver((resized) => {
      for (const { target } of resized) changed.add(target);
      lookSoon();
    });
    const watch = (node) => node.querySelectorAll?.(BOXES).forEach((box) => sizes.observe(box));
    const hear = ({ target, addedNodes }) => {
      for (const node of addedNodes) {
        if (node.matches?.(BOXES)) sizes.observe(node);
        watch(node);
      }
      // A longer line need not make its box larger.
      let box = (target.closest ? target : target.parentElement)?.closest(BOXES);
      for (; box; box = box.parentElement?.closest(BOXES)) changed.add(box);
    };
    new MutationObserver((heard) => {
      heard.forEach(hear);
      lookSoon();
    }).observe(cells, { characterData: true, childList: true, subtree: true });
    watch(cells);
  };

  const followTheme = () => {
    const dark = getComputedStyle(document.documentElement).colorScheme === "dark" ||
      (!document.documentElement.className && matchMedia("(prefers-color-scheme: dark)").matches);
    document.body.dataset.jpThemeLight = String(!dark);
    document.body.dataset.jpThemeName = dark ? "JupyterLab Dark" : "JupyterLab Light";
  };

  const start = async (app, parts) => {
    followTheme();
    tellOutsidePictures();
    keepUsable(document.querySelector(".cs-cells"));
    for (const kind of ["click", "auxclick", "submit"]) addEventListener(kind, stay, true);
    const nodes = document.querySelectorAll("[data-cell]");
    const cells = new Map(
      Array.from(nodes, (node) => [Number(node.dataset.cell), new Cell(node, parts)]),
    );
    addEventListener("resize", () => cells.forEach((cell) => cell.fit()));
    const status = new Status(cells);
    const never = setTimeout(() => status.end("lost", LOST), NEVER_MS);
    const manager = await app.widgetManagerPromise.promise;
    clearTimeout(never);
    new Session(manager, cells, status);
  };

  const plugin = async () => {
    // Fetched before the application starts: when the socket opens, somebody must be listening.
    const [outputarea, widgets, messaging, { IRenderMimeRegistry }] = await Promise.all(
      PARTS.map(part),
    );
    return {
      id: `${NAME}:outputs`,
      autoStart: true,
      requires: [IRenderMimeRegistry],
      // Not awaited: the application would wait for a manager that waits for it.
      activate: (app, rendermime) => {
        const parts = { outputarea, widgets, messaging, rendermime };
        start(app, parts).catch((error) => console.error(error));
      },
    };
  };

  globalThis._JUPYTERLAB ??= {};
  globalThis._JUPYTERLAB[NAME] = {
    init: (scope) => {
      shared = scope;
      // As the newest, which is taken.
      scope["leaflet-measure"] = { "3.999.0": { get: measureStandIn, from: NAME } };
    },
    get: async () => {
      const made = await plugin();
      return () => ({ __esModule: true, default: made });
    },
  };
})();
