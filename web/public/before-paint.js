(function () {
  var kept = {};
  try {
    kept = JSON.parse(localStorage.getItem("arena.settings") || "{}");
  } catch {
    // storage may be forbidden: the defaults will do
  }
  var root = document.documentElement;
  var dark = kept.theme === "dark" || (kept.theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset.theme = dark ? "dark" : "light";
  root.dataset.pnl = kept.pnl || "green-red";
  root.lang = kept.language || (/^zh/i.test(navigator.language) ? "zh-CN" : "en");
})();
