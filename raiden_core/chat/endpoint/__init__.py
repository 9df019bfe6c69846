"""Characters behind an OpenAI-compatible endpoint: ``raiden serve``.

What is asked (`asked`), what of the reply is shown (`shown`), who waits for whom (`line`), and the server (`server`).
"""
