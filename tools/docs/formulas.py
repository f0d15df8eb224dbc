"""The formulas of layers, losses, optimizers and schedules by the word that names each: the one place for all pages.

Those that are functions of one number are expressions of Python, which a test computes and compares with the code; the
others are LaTeX.
"""

from __future__ import annotations

from tools.docs.latex import latex_of

# Word -> (f of x, its derivative, of x and f), with the word's fields by name.
FUNCTIONS = {
    "sigmoid": ("1 / (1 + exp(-x))", "f * (1 - f)"),
    "tanh": ("tanh(x)", "1 - f**2"),
    "relu": ("max(x, 0)", "1 if x > 0 else 0"),
    "leaky_relu": ("x if x > 0 else slope * x", "1 if x > 0 else slope"),
    "elu": ("x if x > 0 else alpha * (exp(x) - 1)", "1 if x > 0 else f + alpha"),
    "gelu": ("x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))", ""),
    "softplus": ("log(1 + exp(x))", "1 / (1 + exp(-x))"),
    "identity": ("x", "1"),
}
# Word -> the factor of the learning rate, t epochs after the start of a run of T.
FACTORS = {
    "constant": "1",
    "step": "drop ** floor(t / every)",
    "exponential": "decay**t",
    "inverse-time": "1 / (1 + decay * t)",
    "cosine": "final + (1 - final) * (1 + cos(pi * t / T)) / 2",
}

ACTIVATIONS = {
    name: f"f(x) = {latex_of(value)}" + (rf", \qquad f'(x) = {latex_of(slope)}" if slope else "")
    for name, (value, slope) in FUNCTIONS.items()
}
LAYERS = ACTIVATIONS | {
    "dense": r"\text{out} = x W + b, \qquad W \in \mathbb{R}^{d \times \text{units}}",
    "dropout": r"\text{out} = \frac{x \, m}{1 - \text{rate}}, \qquad m = 0 \text{ with probability rate, else } 1",
    "layernorm": r"\text{out} = \text{gain} \cdot \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} + \text{bias}, "
    r"\qquad \mu, \sigma^2 \text{ over the last axis}",
    "residual": r"\text{out} = x + F(x)",
    "conv2d": r"\text{out}_{ij} = \sum_{p,q} x_{i s + p - a,\; j s + q - a'} \, W_{pq} + b, "
    r"\qquad s \text{ the stride, } a, a' \text{ the padding}",
    "maxpool2d": r"\text{out}_{ijc} = \max_{p,q} \, x_{i s + p,\; j s + q,\; c}",
    "averagepool2d": r"\text{out}_{ijc} = \frac{1}{n_{ij}} \sum_{p,q} x_{i s + p,\; j s + q,\; c}, "
    r"\qquad n_{ij} \text{ pixels of the window inside the image}",
    "globalaveragepool2d": r"\text{out}_c = \frac{1}{h w} \sum_{i,j} x_{ijc}",
    "flatten": r"(h, w, c) \mapsto (h\,w\,c)",
}
LOSSES = {
    "mse": r"L = \tfrac12 \sum_n \sum_k (\text{out}_{nk} - y_{nk})^2, \qquad y_n \text{ the label as a one-hot row}",
    "cross-entropy": r"L = -\sum_n \sum_k t_{nk} \log p_{nk}, \qquad p_n = \text{softmax}(\text{out}_n), "
    r"\quad t = (1 - s)\,y + s / k, \quad s \text{ the smoothing}",
    "binary-cross-entropy": r"L = -\sum_n \big(t_n \log p_n + (1 - t_n) \log (1 - p_n)\big), "
    r"\qquad p_n = \frac{1}{1 + e^{-\text{out}_n}}, \quad t = (1 - s)\,y + s / 2",
}
REGRESSION_LOSSES = {
    "mse": r"L = \sum_n \sum_j e_{nj}^2, \qquad e = \text{out} - \text{target}",
    "absolute-error": r"L = \sum_n \sum_j \lvert e_{nj} \rvert, \qquad e = \text{out} - \text{target}",
    "huber": r"L = \sum_n \sum_j \tfrac12 e_{nj}^2 \text{ if } \lvert e_{nj} \rvert \le \delta \text{, else } "
    r"\delta\,(\lvert e_{nj} \rvert - \tfrac{\delta}{2}), \qquad e = \text{out} - \text{target}",
}
OPTIMIZERS = {
    "sgd": r"W \leftarrow W - r\,g",
    "momentum": r"v \leftarrow m\,v + g, \qquad W \leftarrow W - r\,v",
    "nesterov": r"v \leftarrow m\,v + g, \qquad W \leftarrow W - r\,(g + m\,v)",
    "adagrad": r"s \leftarrow s + g^2, \qquad W \leftarrow W - \frac{r\,g}{\sqrt{s} + \epsilon}",
    "rmsprop": r"s \leftarrow d\,s + (1 - d)\,g^2, \qquad W \leftarrow W - \frac{r\,g}{\sqrt{s} + \epsilon}",
    "adam": r"m \leftarrow \beta_1 m + (1 - \beta_1)\,g, \quad s \leftarrow \beta_2 s + (1 - \beta_2)\,g^2, \quad "
    r"W \leftarrow W - r\,\frac{m / (1 - \beta_1^t)}{\sqrt{s / (1 - \beta_2^t)} + \epsilon}",
    "adamw": r"W \leftarrow (1 - r \lambda)\,W \text{ (weights, not biases), then the step of adam}, "
    r"\qquad \lambda \text{ the weight decay}",
    "l-bfgs": r"W \leftarrow W - t\,H g, \qquad H \text{ from the last pairs } (W' - W,\; g' - g), "
    r"\quad t \text{ by a search for the strong Wolfe conditions}",
}
SCHEDULES = {name: rf"\text{{factor}}(t) = {latex_of(factor)}" for name, factor in FACTORS.items()} | {
    "bold-driver": r"r \leftarrow \text{growth} \cdot r \text{ after an accepted step, else } "
    r"r \leftarrow \text{shrink} \cdot r \text{ and the step is undone}",
    "one-cycle": r"\text{half a cosine from start to 1 over } \text{rise} \cdot T \text{, then half a cosine to final}",
    "plateau": r"r \leftarrow \max(\text{drop} \cdot r,\; \text{lowest} \cdot r_0) "
    r"\text{ after } \text{patience} \text{ epochs without a lower cost}",
}
