// One dead letter: the graph begins where the path was left.
(() => {
  const flow = document.querySelector("[data-left-at]");
  const card = flow && document.getElementById(flow.dataset.leftAt);
  if (!card) return;
  const stage = flow.querySelector(".stage");
  const box = card.getBoundingClientRect();
  const around = stage.getBoundingClientRect();
  stage.scrollLeft += box.left - around.left - stage.clientWidth / 2 + box.width / 2;
  stage.scrollTop += box.top - around.top - stage.clientHeight / 2 + box.height / 2;
})();
