# eventviz: one image for the web server, the ingestor, the worker and the sample shop.
FROM python:3.12-slim AS build
COPY requirements/base.txt /requirements.txt
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check -r /requirements.txt

FROM python:3.12-slim
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1
# The secret key, if none is given, is made once in .cache: a volume keeps it.
RUN useradd --system --uid 10001 --no-create-home eventviz \
    && install -d -o eventviz -g eventviz /app /app/.cache
WORKDIR /app
COPY --from=build /venv /venv
COPY manage.py LICENSE ./
COPY eventviz eventviz
COPY tracing tracing
COPY templates templates
COPY static static
RUN python -m compileall -q eventviz tracing
USER 10001
EXPOSE 8000
CMD ["python", "-m", "daphne", "-v", "0", "-b", "0.0.0.0", "-p", "8000", "--ping-interval", "5", "--ping-timeout", "10", "eventviz.asgi:application"]
