"""Publishes one run request and waits for the result: publish_request.py REPOSITORY SENTENCE [FIELDS]

FIELDS: more of the request as a JSON object, for example '{"onQuestions": "pause"}'
"""

import json
import os
import sys
import uuid

import pika

PREFIX = os.environ.get("SPECKIT_AMQP_PREFIX", "speckit")
repository, sentence, *more = sys.argv[1:]
# With an id of our own, sending it twice by accident is one run.
run_id = str(uuid.uuid4())
request = {"schemaVersion": 1, "runId": run_id, "repository": repository, "specifyText": sentence}
for fields in more:
    request.update(json.loads(fields))

connection = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"]))
channel = connection.channel()
channel.confirm_delivery()  # from here on publishing raises when no queue has the message
replies = channel.queue_declare("", exclusive=True).method.queue
channel.basic_publish(
    exchange=f"{PREFIX}.requests",
    routing_key="run.request",
    body=json.dumps(request),
    mandatory=True,
    properties=pika.BasicProperties(
        content_type="application/json", delivery_mode=2, reply_to=replies, correlation_id=run_id
    ),
)
print(f"published {run_id}", file=sys.stderr)

for _method, properties, body in channel.consume(replies, auto_ack=True):
    if properties.correlation_id == run_id:
        print(body.decode())
        break
connection.close()
sys.exit(0 if json.loads(body)["status"] in ("succeeded", "no_changes") else 1)
