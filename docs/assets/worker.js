// Search runs in a worker, and a browser starts none for a page that was opened from a file.
// There, this stands in: the worker's script runs in a hidden frame.
if (location.protocol === "file:") {
  window.Worker = class {
    onmessage = null;
    onerror = null;

    constructor(url) {
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      document.documentElement.append(this.frame);
      const inner = this.frame.contentWindow;
      inner.postMessage = (data) => setTimeout(() => this.onmessage?.({ data }));
      this.loaded = new Promise((done) => {
        const script = inner.document.createElement("script");
        script.src = url;
        script.onload = () => done(inner);
        script.onerror = (event) => this.onerror?.(event);
        inner.document.documentElement.append(script);
      });
    }

    postMessage(data) {
      const copy = structuredClone(data);
      this.loaded.then((inner) => inner.onmessage({ data: copy }));
    }

    terminate() {
      this.frame.remove();
    }
  };
}
