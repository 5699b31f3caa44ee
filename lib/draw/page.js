// Shows the value under the pointer, and with the arrow keys the next one. The page is whole without it.
(function () {
	"use strict";
	document.querySelectorAll(".hover[data-points]").forEach(function (box) {
		var points = box.dataset.points.split("~").map(function (s) {
			var p = s.split("|");
			return { x: +p[0], y: +p[1], text: p.slice(2).join("|") };
		});
		var tip = document.createElement("div"), dot = document.createElement("div"), at = -1;
		tip.className = "tip";
		tip.setAttribute("role", "status");
		dot.className = "dot";
		tip.hidden = dot.hidden = true;
		box.append(tip, dot);
		box.tabIndex = 0;
		box.setAttribute("aria-label", "Values: use the arrow keys");
		box.setAttribute("role", "group");
		function area() {
			var svgs = box.querySelectorAll("svg"), narrow = getComputedStyle(svgs[0]).display === "none";
			var m = (narrow ? box.dataset.narrow : box.dataset.box).split(" ").map(Number);
			var r = svgs[narrow ? 1 : 0].getBoundingClientRect();
			return { left: m[0] * r.width, top: m[1] * r.height,
				width: (m[2] - m[0]) * r.width, height: (m[3] - m[1]) * r.height, full: r.width };
		}
		function show(i) {
			var a = area(), p = points[i], x = a.left + p.x * a.width, y = a.top + (1 - p.y) * a.height;
			at = i;
			tip.hidden = dot.hidden = false;
			tip.textContent = p.text;
			dot.style.left = x + "px";
			dot.style.top = y + "px";
			tip.style.left = "0px";
			tip.style.left = Math.max(0, Math.min(x + 10, a.full - tip.offsetWidth - 2)) + "px";
			tip.style.top = (y > tip.offsetHeight + 12 ? y - tip.offsetHeight - 10 : y + 12) + "px";
		}
		function hide() { tip.hidden = dot.hidden = true; }
		function nearest(ev) {
			var a = area(), r = box.getBoundingClientRect(), best = 0, d2 = Infinity;
			var x = ev.clientX - r.left, y = ev.clientY - r.top;
			points.forEach(function (p, i) {
				var dx = a.left + p.x * a.width - x, dy = (a.top + (1 - p.y) * a.height - y) / 4;
				if (dx * dx + dy * dy < d2) { d2 = dx * dx + dy * dy; best = i; }
			});
			show(best);
		}
		box.addEventListener("pointermove", nearest);
		box.addEventListener("pointerdown", nearest);
		box.addEventListener("pointerleave", hide);
		box.addEventListener("blur", hide);
		box.addEventListener("keydown", function (ev) {
			var step = { ArrowRight: 1, ArrowLeft: -1 }[ev.key];
			if (step) {
				show((at + step + points.length) % points.length);
				ev.preventDefault();
			} else if (ev.key === "Escape") {
				hide();
			}
		});
	});
})();
