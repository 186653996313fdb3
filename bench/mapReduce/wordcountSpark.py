"""Word count by PySpark, written as word<tab>count; spark-submit says with how many threads. Arguments: file, folder."""

import sys

from pyspark.sql import SparkSession, functions

source, folder = sys.argv[1:3]
spark = SparkSession.builder.appName("wordcount").getOrCreate()
# Functions of Spark SQL alone: no row crosses over into Python, which its manual advises.
words = functions.split(functions.lower("value"), r"[^a-z0-9'\x{80}-\x{10ffff}]+")
counts = spark.read.text(source).select(functions.explode(words).alias("word")).where("word <> ''").groupBy("word").count()
counts.write.csv(folder, sep="\t", quote="", escape="")
spark.stop()
