/** Loaded before a program that imports the package by its name from a folder where it is not installed. */
import { useOwnSdkIfNoneIsInstalled } from "../../src/runner/sdkResolution.ts";

useOwnSdkIfNoneIsInstalled();
