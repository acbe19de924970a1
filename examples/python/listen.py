"""Prints events as they come, one a line, until Ctrl-C: listen.py [ROUTING_KEY ...]"""

import json
import os
import sys

import pika

PREFIX = os.environ.get("SPECKIT_AMQP_PREFIX", "speckit")

connection = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"]))
channel = connection.channel()
# A queue of our own that ends with us. For every event, also of the time we are away, declare a
# durable one with a name and acknowledge each message.
queue = channel.queue_declare("", exclusive=True).method.queue
for key in sys.argv[1:] or ["run.*", "phase.*"]:
    channel.queue_bind(queue, exchange=f"{PREFIX}.events", routing_key=key)


def tell(_channel, method, _properties, body):
    event = json.loads(body)
    print(event["time"], event["subject"], method.routing_key, json.dumps(event["data"]), flush=True)


channel.basic_consume(queue, tell, auto_ack=True)
print(f"listening to {PREFIX}.events", file=sys.stderr, flush=True)
try:
    channel.start_consuming()
except KeyboardInterrupt:
    connection.close()
