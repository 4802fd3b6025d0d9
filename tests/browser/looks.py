"""Scripts for a page that find what somebody could not see, hear or press."""

NAMELESS = """() => [...document.querySelectorAll("input, select, textarea, button, a[href]")]
  .filter((one) => one.type !== "hidden" && one.checkVisibility())
  .filter((one) => !(one.labels?.length || one.getAttribute("aria-label") || one.title
    || one.getAttribute("aria-labelledby") || one.textContent.trim() || one.placeholder))
  .map((one) => one.outerHTML.slice(0, 200))"""
"""Controls that have no name for those who cannot see them."""

PALE = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const light = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    const linear = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    return [0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b), a];
  };
  const ground = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const [value, alpha] = light(getComputedStyle(at).backgroundColor);
      if (alpha > 250) return value;
    }
    return 1;
  };
  return [...document.querySelectorAll(".rs *")]
    .filter((one) => one.checkVisibility() && !one.disabled && !one.closest(":disabled")
      && [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
    .filter((one) => {
      const pair = [light(getComputedStyle(one).color)[0], ground(one)];
      return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05) < 4.5;
    })
    .map((one) => one.outerHTML.slice(0, 160));
}"""
"""Texts whose contrast with what is behind them is below 4.5, the least that WCAG AA takes."""
